/* SPDX-License-Identifier: Apache-2.0 */
/* One question and what roles have answered: for answers.c, which asks, and answers_json.c, which puts it together. */
#ifndef SEKISHO_SUPERVISE_ANSWERS_PRIVATE_H
#define SEKISHO_SUPERVISE_ANSWERS_PRIVATE_H

#include "appliance/supervise/supervise.h"

struct collect {
	enum collect_kind kind;
	struct asker asker;
	uint32_t id;
	uint64_t deadline;
	bool waiting[SLOTS], silent[SLOTS];
	json_t *answer[SLOTS];
};

json_t *answers_status(struct supervisor *s, struct collect *c);
/* These two fill the status of the answer when it is not 0. */
json_t *answers_effective(struct supervisor *s, struct collect *c, int *status);
void answers_moment(const struct supervisor *s, json_t *j);
json_t *answers_verify(struct supervisor *s, struct collect *c, int *status);

#endif
