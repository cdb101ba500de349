/* SPDX-License-Identifier: Apache-2.0 */
/* The roles: one slot a process, how it is started and ended, what is heard of it. */
#ifndef SEKISHO_SUPERVISE_ROLES_H
#define SEKISHO_SUPERVISE_ROLES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/slot.h"

struct supervisor; /* supervise.h */

enum slot_state {
	SLOT_OFF,      /* not wanted now */
	SLOT_DEAD,     /* to be started at restart_at */
	SLOT_STARTING, /* running, not yet MSG_READY */
	SLOT_RUNNING,
};

struct slot {
	enum role role;
	uint32_t index;
	enum slot_state state;
	pid_t pid;
	int pidfd, chan, stat;	      /* -1 = none; stat: /proc/PID/stat */
	int group;		      /* partition.c: by this its processes join their group; -1 = they stay in ours */
	int event_in, event_out;      /* the event socket outlives every process of this role: records wait in it */
	uint64_t started, restart_at; /* monotonic ns */
	uint64_t since_wall;	      /* wall ns of the last start */
	struct err failed;	      /* why the last start failed */
	uint32_t restarts, quick;     /* quick: deaths in a row soon after a start */
	uint32_t asked;		      /* how it is: the question without an answer, 0 = none */
	uint32_t works;		      /* questions of control beyond how it is, that it has not answered yet */
	bool long_work;		      /* it does something long and is not asked meanwhile */
	struct vigil vigil;	      /* since then */
	struct vigil work;	      /* since its start, or since enforce was given what it is at */
	/* Monotonic ns: it was ready, answered, or at something long; later by what it had no core for. */
	uint64_t heard;
};

struct partition; /* partition.h */
/* spawn.c: descriptors fds[n] become ROLE_FD_FIRST and on; nsfd -1 = stay. 0 or negative errno. */
int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

/* sockets.c: what a role gets besides its channel. Returns how many, or negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);
int queue_table(struct supervisor *s,
		struct err *e); /* how they stand, as the kernel says it; owned by the caller, negative errno */

/* ground.c */
int event_pair(int sv[2], struct err *e);	       /* [0] reads, [1] writes */
void role_kill(struct supervisor *s, struct slot *sl); /* SIGKILL; role_exited follows */
/* To a role; one that cannot take a message is not answering and is killed. False when it was not sent. */
bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n);
bool slot_alive(const struct slot *sl);
/* Which process it is, as people read it. */
#define SLOT_TITLE 32u
const char *slot_title(const struct slot *sl, char out[SLOT_TITLE]);

/* roles.c */
void roles_init(struct supervisor *s);
void roles_want(struct supervisor *s, unsigned slot); /* from now on it shall run */
void roles_start_due(struct supervisor *s, uint64_t now);
uint64_t roles_due(const struct supervisor *s); /* next moment something is due, UINT64_MAX = none */
/* Its process has ended, how, and when the next one is due. False: it has not. */
bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how);

/* dispatch.c */
void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);

/* watch.c: roles that live but do nothing */
void watch_due(struct supervisor *s, uint64_t now);
uint64_t watch_next(const struct supervisor *s); /* monotonic ns */
int watch_open(struct supervisor *s, struct err *e);
void watch_answered(struct slot *sl, uint32_t id);

#endif
