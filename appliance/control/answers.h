/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that several roles answer, and what people are told of the box. */
#ifndef SEKISHO_CONTROL_ANSWERS_H
#define SEKISHO_CONTROL_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/control/asker.h"
#include "appliance/store/generation.h"
#include "appliance/wire/msg.h"

struct control; /* supervise.h */

enum collect_kind {
	COLLECT_NONE,
	COLLECT_STATUS,
	COLLECT_EFFECTIVE,
	COLLECT_VERIFY,
	COLLECT_PASS,
};

struct collect; /* one question and its answers: answers_private.h */

/* answers.c */
int collect_open(struct control *s, struct err *e);
void collect_start(struct control *s, enum collect_kind k, struct asker a);
/* An operation is over: what waited for its end is asked now. */
void collect_settled(struct control *s);
/* One role alone is asked; its answer goes through. */
void collect_pass(struct control *s, unsigned slot, const struct msg_body *question, struct asker a);
/* ... with a descriptor, which stays the caller's; -1 = none. */
void collect_pass_fd(struct control *s, unsigned slot, const struct msg_body *question, int fd, struct asker a);
/* What came for one of these questions. False: its sender may not say that. */
bool collect_answer(struct control *s, struct msg *m);
void collect_status(struct control *s, struct msg *m); /* a role's own numbers */
struct asker collect_heard(struct control *s,
			   uint32_t id);	      /* somebody is at it; who waits for it, ASKER_NONE: nobody */
void collect_unasked(struct control *s, uint32_t id); /* nobody hears it */
/* Who asked this has gone away, or waits no longer: what only reads ends. */
void collect_stop(struct control *s, const struct asker *a);
void collect_gone(struct control *s, unsigned slot); /* its process has ended */
void collect_due(struct control *s, uint64_t now);
uint64_t collect_next(const struct control *s);
/* Monotonic ns: when the web side may ask again, past or to come. Until then nothing that it says is read. */
uint64_t collect_hears(const struct control *s);

/* An error: this role did not answer. */
json_t *answers_silent(enum role r);
/* answers_json.c: of all that has come for one question; fills the status of the answer when it is not 0 */
json_t *answers_compose(struct control *s, struct collect *c, int *status);
json_t *json_history(const struct control *s);

#endif
