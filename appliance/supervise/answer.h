/* SPDX-License-Identifier: Apache-2.0 */
/* An answer on its way, and for whom. */
#ifndef SEKISHO_SUPERVISE_ANSWER_H
#define SEKISHO_SUPERVISE_ANSWER_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/supervise/control.h"
#include "appliance/supervise/operation.h"

struct answer {
	struct answer *next;
	struct asker to;
	int status;	    /* enum answer_status */
	int fd;		    /* owned; -1 = none */
	json_t *json;	    /* owned; what `fd` will hold */
	bool of_json;
	struct op_end end;  /* of an operation's; `kind` OP_NONE: of something else */
};

/* The oldest; the caller's from now on. False: there is none. */
bool answer_take(struct supervisor *s, struct answer *ret);
/* Its object becomes what its descriptor holds; returns the status to tell, which is not YES where there is no memory for that. */
int answer_pack(struct answer *a);
void answer_free(struct answer *a);
/* An operation has ended: the draft hears of it before whoever asked (ASKER_NONE: nobody did). */
void answer_operation(struct supervisor *s, const struct op_end *end, struct asker a, int status, json_t *j);

#endif
