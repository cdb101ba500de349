/* SPDX-License-Identifier: Apache-2.0 */
/* A queued answer, and its asker. */
#ifndef SEKISHO_CONTROL_ANSWER_H
#define SEKISHO_CONTROL_ANSWER_H

#include <stdbool.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"

struct control;
struct err;

struct answer {
	struct answer *next;
	struct asker to;
	int status;   /* enum answer_status */
	int fd;	      /* owned; -1 = none */
	json_t *json; /* owned; the JSON that answer_pack writes to `fd` */
	bool of_json;
};

/* The number of answers for which memory is reserved: one for each asker at a time. An asker would
 * wait for ever if there were no memory for its answer. */
#define ANSWERS_SPARE 256u

/* At the start. 0 or negative errno. */
int answer_open(struct control *s, struct err *e);
/* Takes the oldest answer, which the caller then owns. False: there is none. */
bool answer_take(struct control *s, struct answer *ret);
/* Takes the newest answer out again, for a caller that has just queued it. */
bool answer_take_last(struct control *s, struct answer *ret);
/* Writes the JSON to a descriptor. Returns the status to send, which is not YES when memory
 * is out. */
int answer_pack(struct answer *a);
void answer_free(struct answer *a);

#endif
