/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that several roles answer. */
#ifndef SEKISHO_CONTROL_ANSWERS_H
#define SEKISHO_CONTROL_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

struct control;
struct err;

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
/* An operation has ended: questions that waited for its end are sent now. */
void collect_settled(struct control *s);
/* Asks a single role; its answer is passed on unchanged. */
void collect_pass(struct control *s, unsigned slot, const struct msg_body *question, struct asker a);
/* As collect_pass, with a descriptor, which stays the caller's; -1 = none. */
void collect_pass_fd(struct control *s, unsigned slot, const struct msg_body *question, int fd, struct asker a);
/* The supervisor answers an order at the machine under this id; `a` takes the answer. */
void collect_handed(struct control *s, uint32_t id, struct asker a);
/* Takes a role's answer to such a question. False: this role may not answer it. */
bool collect_answer(struct control *s, struct msg *m);
void collect_status(struct control *s, struct msg *m); /* a role's own numbers */
/* a role reports progress on this question; returns its asker, or ASKER_NONE if there is none */
struct asker collect_heard(struct control *s, uint32_t id);
void collect_unasked(struct control *s, uint32_t id); /* the question could not be sent */
/* The asker does not wait any more: stops its questions that change nothing. */
void collect_stop(struct control *s, const struct asker *a);
void collect_gone(struct control *s, unsigned slot); /* its process has ended */
void collect_due(struct control *s, uint64_t now);
uint64_t collect_next(const struct control *s);
/* Monotonic ns: from when on the web side may ask again. Until then its messages are not read. */
uint64_t collect_hears(const struct control *s);

/* An error: this role did not answer. */
json_t *answers_silent(enum role r);
/* answers_json.c: composes the answer from all answers of roles; sets *status if it is not 0 */
json_t *answers_compose(struct control *s, struct collect *c, int *status);
json_t *json_history(const struct control *s);

#endif
