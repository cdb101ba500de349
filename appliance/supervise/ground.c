/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers for all files of this folder: time, a line for people, a record, another namespace. They
 * depend on no role and on no step of an operation. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/box/netns.h"
#include "appliance/supervise/apply_told.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/kept_counts.h"
#include "appliance/wire/settings.h"

uint64_t mono_ns(void)
{
	return clock_mono().ns;
}

void supervisor_say(const struct supervisor *s, enum message m, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), s->ground.o->lang, m, ap);
	va_end(ap);
	fprintf(stderr, "sekishod: %s\n", text);
}

void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what)
{
	struct event e = event_new(EVENT_ROLE, clock_wall_ns());

	e.code = (uint8_t)what;
	e.value = role;
	e.address = index;
	if (role == ROLE_DPI && what == ROLE_DIED && s->workforce.pairs[index].kept != NULL)
		e.quantity = s->workforce.pairs[index].kept->doubt < UINT32_MAX
				     ? (uint32_t)s->workforce.pairs[index].kept->doubt
				     : UINT32_MAX;
	event_send(&s->ground.events, &e);
}

void machine_event(struct ground *ground, uint8_t what, struct said x)
{
	event_record(&ground->events, EVENT_MACHINE, what, 0, x);
}

void policy_event_of(struct ground *ground, enum policy_event what, uint64_t number, struct said x)
{
	event_record(&ground->events, EVENT_POLICY,
		     (uint8_t)(what == POLICY_BOOTED && number == 0 ? POLICY_EMPTY : what), number, x);
}

void policy_by(const struct operation *op, char out[USER_BY])
{
	const char *login = op->ground.login;

	snprintf(out, USER_BY, "%s%s%s", login, login[0] != '\0' ? "/" : "", op->by);
}

void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object)
{
	char by[USER_BY];

	policy_by(&s->op, by);
	/* Changes by the box itself (start, end of a trial) have no author. */
	policy_event_of(&s->ground, what, number,
			(struct said){ .by = s->op.asker.id != 0 ? by : NULL, .object = object });
}

int in_namespace(struct ground *ground, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	struct err back;
	int r = netns_enter(nsfd, e);

	if (r < 0)
		return r;
	r = open_in(ctx, e);
	if (netns_enter(ground->spaces.home, &back) < 0)
		abort(); /* a process must not go on in the wrong namespace */
	return r;
}

/* The trial's timer does not follow the wall clock. So the wall time of its end changes when the
 * clock is set. */
uint64_t trial_until(struct trial *trial)
{
	uint64_t due = clock_wall_ns() + (trial->until_boot - clock_boot_ns());
	uint64_t apart = due > trial->until_wall ? due - trial->until_wall : trial->until_wall - due;

	if (apart > CLOCK_STEP_NS)
		trial->until_wall = due;
	return trial->until_wall;
}

/* The process of a role: messages to it, and how it is ended. roles.c starts it. */

/* A socket pair with room for some thousand records, so that none is lost while the journal
 * restarts. */
int event_pair(int sv[2], struct err *e)
{
	const int room = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) < 0)
		return err_set(e, -errno, "event socket");
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return 0;
}

bool slot_alive(const struct slot *sl)
{
	return sl->state == SLOT_STARTING || sl->state == SLOT_RUNNING;
}

const char *slot_title(const struct slot *sl, char out[SLOT_TITLE])
{
	if (sl->role == ROLE_DPI || sl->role == ROLE_GATE)
		snprintf(out, SLOT_TITLE, "%s/%u (%s)", role_name(sl->role), sl->index,
			 lane_kind_words[pair_kind(sl->index)]);
	else
		snprintf(out, SLOT_TITLE, "%s", role_name(sl->role));
	return out;
}

void role_kill(struct supervisor *s, struct slot *sl)
{
	if (slot_alive(sl))
		pidfd_send_signal(sl->pidfd, SIGKILL, NULL, 0);
}

void role_renew(struct supervisor *s, struct slot *sl)
{
	sl->renewed = slot_alive(sl);
	role_kill(s, sl);
}

bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n)
{
	char title[SLOT_TITLE];
	int r;

	if (!slot_alive(sl) || sl->chan < 0)
		return false;
	r = msg_send(sl->chan, id, body, fds, n);
	if (r == 0)
		return true;
	/* If the channel is full, the role has not read for very long. If it is broken, the role
	 * will be reaped soon. */
	if (r != -EPIPE && r != -ECONNRESET)
		supervisor_say(s, M_ROLE_SILENT, slot_title(sl, title));
	role_kill(s, sl);
	return false;
}

/* Tells the workers which sessions the policy in force has ended, from enforce's list of tracked
 * sessions. */

void cuts_hand_on(struct supervisor *s, int fd)
{
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (slot_alive(&s->slots[SLOT_DPI + w]))
			role_send(s, &s->slots[SLOT_DPI + w], 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
}
