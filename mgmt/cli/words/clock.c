/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

void clock_print(struct cli *c, const json_t *clock)
{
	static const struct answer_row rows[] = {
#define ROWS_CLOCK
#include "mgmt/cli/words/answers.def"
	};

	answer_print(c, rows, clock);
}

void clock_waits_print(struct cli *c, const json_t *clock)
{
	static const struct answer_row rows[] = {
#define ROWS_CLOCK_WAITS
#include "mgmt/cli/words/answers.def"
	};

	answer_print(c, rows, clock);
}
