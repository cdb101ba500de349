/* SPDX-License-Identifier: Apache-2.0 */
/* An answer on its way, and for whom. */
#ifndef SEKISHO_CONTROL_ANSWER_H
#define SEKISHO_CONTROL_ANSWER_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"

struct answer {
	struct answer *next;
	struct asker to;
	int status;   /* enum answer_status */
	int fd;	      /* owned; -1 = none */
	json_t *json; /* owned; what `fd` will hold */
	bool of_json;
};

/* The oldest; the caller's from now on. False: there is none. */
bool answer_take(struct control *s, struct answer *ret);
/* The youngest, for whoever has just put it there and answers otherwise. */
bool answer_take_last(struct control *s, struct answer *ret);
/* Its object becomes what its descriptor holds; returns the status to tell, which is not YES where there is no memory for that. */
int answer_pack(struct answer *a);
void answer_free(struct answer *a);
#endif
