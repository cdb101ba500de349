/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of the supervisor uses. */
#ifndef SEKISHO_SUPERVISE_GROUND_H
#define SEKISHO_SUPERVISE_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/messages.h"
#include "appliance/box/box.h"
#include "appliance/role/said.h"
#include "appliance/supervise/backstop.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/past.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

struct err;
struct operation;
struct slot;
struct supervise_options;
struct supervisor;
struct trial;

/* What does not change while the daemon runs. */
struct ground {
	const struct supervise_options *o;
	/* the namespaces of the box; those in which a dry run tries addresses */
	struct box_spaces spaces, scratch;
	int state_fd, run_fd, signal_fd, trial_fd;
	int run_lock, data_lock; /* locks of box/netns.h, held as long as the daemon runs */
	struct backstop backstop;
	struct event_port events; /* the supervisor's own; the journal reads events_out */
	int events_out;
	char boot[MOMENT_BOOT]; /* boot id of this start of the machine */
	bool ending;
};

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
void policy_by(const struct operation *op, char out[USER_BY]);
/* Records a step of the current operation under the person who ordered it; `object`: the subject,
 * NULL = none. */
void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object);
/* Records an event that is not a step of the current operation. */
void policy_event_of(struct ground *ground, enum policy_event what, uint64_t number, struct said x);
void machine_event(struct ground *ground, uint8_t what, struct said x);
/* Runs `open_in(ctx)` in the namespace, and returns to the own one in any case. */
int in_namespace(struct ground *ground, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e);

/* wall ns, by the clock as it is now set: when the trial ends */
uint64_t trial_until(struct trial *trial);

#endif
