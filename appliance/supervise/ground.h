/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of the supervisor uses. */
#ifndef SEKISHO_SUPERVISE_GROUND_H
#define SEKISHO_SUPERVISE_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/messages.h"
#include "appliance/role/said.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

struct err;
struct slot;
struct supervisor;

int event_pair(int sv[2], struct err *e);	       /* [0] reads, [1] writes */
void role_kill(struct supervisor *s, struct slot *sl); /* SIGKILL; role_exited follows */
/* As role_kill, but on purpose: the role is started again at once, and this counts as no
 * failure. */
void role_renew(struct supervisor *s, struct slot *sl);
/* Sends a message to a role. A role whose socket is full does not answer any more, and is killed.
 * False when it was not sent. */
bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n);
bool slot_alive(const struct slot *sl);
/* The name of the process for people. */
#define SLOT_TITLE 32u
const char *slot_title(const struct slot *sl, char out[SLOT_TITLE]);

#define SECOND 1000000000ull /* ns */

uint64_t mono_ns(void);
/* one line on standard error */
void supervisor_say(const struct supervisor *s, enum message m, ...);
void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what);
/* Writes the person who ordered the current operation: an account, at the
 * machine "login/account". */
void policy_by(const struct supervisor *s, char out[USER_BY]);
/* Records a step of the current operation under the person who ordered it; `object`: the subject,
 * NULL = none. */
void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object);
/* Records an event that is not a step of the current operation. */
void policy_event_of(struct supervisor *s, enum policy_event what, uint64_t number, struct said x);
void machine_event(struct supervisor *s, uint8_t what, struct said x);
/* Runs `open_in(ctx)` in the namespace, and returns to the own one in any case. */
int in_namespace(struct supervisor *s, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e);

/* wall ns, by the clock as it is now set: when the trial ends */
uint64_t trial_until(struct supervisor *s);

#endif
