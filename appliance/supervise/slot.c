/* SPDX-License-Identifier: Apache-2.0 */
/* A role's process as others see it: whether it lives, what it is called, how it is told something, how it is ended. Who starts it is roles.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "appliance/supervise/supervise.h"
#include "appliance/wire/settings.h"

/* A pair with room for some thousand records, so that none is lost while the journal is started anew. */
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
	(void)s;
	if (slot_alive(sl))
		pidfd_send_signal(sl->pidfd, SIGKILL, NULL, 0);
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
	/* A full channel means that it has not read for very long; a broken one, that it is about to be reaped. */
	if (r != -EPIPE && r != -ECONNRESET)
		say(s, M_ROLE_SILENT, slot_title(sl, title));
	role_kill(s, sl);
	return false;
}
