/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that several roles answer, and what people are told of the box. */
#ifndef SEKISHO_SUPERVISE_ANSWERS_H
#define SEKISHO_SUPERVISE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/store/generation.h"
#include "appliance/supervise/control.h"
#include "appliance/supervise/roles.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

enum collect_kind {
	COLLECT_NONE,
	COLLECT_STATUS,
	COLLECT_EFFECTIVE,
	COLLECT_VERIFY,
	COLLECT_PASS,
	COLLECT_IMPACT, /* nobody asked: the operation goes on with it */
};

struct collect; /* one question and its answers: answers_private.h */

/* answers.c */
int collect_open(struct supervisor *s, struct err *e);
/* Something longer than its status is asked of it. */
bool collect_busy(const struct supervisor *s, unsigned slot);
void collect_start(struct supervisor *s, enum collect_kind k, struct asker a);
/* An operation is over: what waited for its end is asked now. */
void collect_settled(struct supervisor *s);
/* One role alone is asked; its answer goes through. */
void collect_pass(struct supervisor *s, unsigned slot, const struct msg_body *question, struct asker a);
/* ... with a descriptor, which stays the caller's; -1 = none. */
void collect_pass_fd(struct supervisor *s, unsigned slot, const struct msg_body *question, int fd, struct asker a);
/* Every worker gets this question; when all have answered who will, the loop tells the operation (ASKER_IMPACT). */
void collect_impact(struct supervisor *s, uint32_t question, const struct msg_impact *body, int fd);
bool collect_answer(struct supervisor *s, struct slot *sl, struct msg *m); /* false: it may not say that */
void collect_status(struct supervisor *s, struct slot *sl, struct msg *m); /* a role's own numbers */
bool collect_awaits_impact(struct supervisor *s, const struct slot *sl, uint32_t id); /* this worker's answer to it */
void collect_foretold(struct supervisor *s, struct slot *sl, struct msg *m);
void collect_progress(struct supervisor *s, const struct slot *sl, const struct msg *m); /* how far it is with it */
/* Who asked this has gone away, or waits no longer: what only reads ends. */
void collect_stop(struct supervisor *s, const struct asker *a);
void collect_gone(struct supervisor *s, struct slot *sl);
void collect_due(struct supervisor *s, uint64_t now);
uint64_t collect_next(const struct supervisor *s);
/* Monotonic ns: when the web side may ask again, past or to come. Until then nothing that it says is read. */
uint64_t collect_hears(const struct supervisor *s);

/* answers_json.c */
json_t *answers_silent(enum role r); /* an error: this role did not answer */
json_t *json_site(const struct supervisor *s);
json_t *json_generation(const struct supervisor *s);
json_t *json_history(const struct supervisor *s);
json_t *json_record(const struct supervisor *s, const struct generation_record *g);

/* show.c: the texts of a generation that is kept, and of the one before it */
void show_generation(struct supervisor *s, struct asker a, uint64_t number); /* 0 = the one in force */
/* The record and the texts of one that is kept; NULL: it cannot be read. */
json_t *json_kept(struct supervisor *s, const struct generation_record *g, struct err *e);

/* interfaces.c: the box's links as they are now, for people; owned by the caller */
json_t *json_interfaces(const struct supervisor *s);
/* For whom the kernel answers, of each interface where it has to for somebody; null when that cannot be read. */
json_t *json_answering(const struct supervisor *s);
/* Whom the box itself may reach from the admin namespace, as the kernel has it; null when it cannot be asked. */
json_t *json_reach(const struct supervisor *s);
/* What is not as box.cfg says, and what is in the data namespace beside it: objects as in verify's "differences". */
json_t *json_surroundings(const struct supervisor *s);

#endif
