/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/progress.h"

const char *progress_word(enum progress_stage s)
{
	static const char *const words[] = {
#define STAGE(id, word) [PROGRESS_##id] = (word),
#include "appliance/wire/progress.def"
	};

	return s < PROGRESS_STAGES ? words[s] : "?";
}
