/* SPDX-License-Identifier: Apache-2.0 */
/* The roles. Each process has a slot: how it is started and ended, and its messages. */
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
	int pidfd, chan, stat; /* -1 = none; stat: /proc/PID/stat */
	/* partition.c: descriptor for joining the group of this slot; -1 = its processes stay
	 * in ours */
	int group;
	/* the event socket outlives every process of this role: records wait in it */
	int event_in, event_out;
	uint64_t started, restart_at; /* monotonic ns */
	uint64_t since_wall;	      /* wall ns of the last start */
	struct err failed;	      /* why the last start failed */
	uint32_t restarts, quick;     /* quick: deaths in a row soon after a start */
	uint32_t asked;		      /* id of the status question without an answer, 0 = none */
	/* other questions of control that it has not answered yet */
	uint32_t works;
	bool renewed;	    /* it was ended on purpose, to be started again */
	bool long_work;	    /* it does a long task, and is not asked for its status meanwhile */
	struct vigil vigil; /* measures the process since it was last heard */
	/* since its start, or since enforce was given its present task */
	struct vigil work;
	/* Monotonic ns: when it was last ready, answered, or began a long task; later by the time
	 * in which it had no core. */
	uint64_t heard;
};

struct partition; /* partition.h */
/* spawn.c: descriptors fds[n] become ROLE_FD_FIRST and on; nsfd -1 = stay. 0 or negative errno. */
int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

/* sockets.c: opens the descriptors that a role gets besides its channel. Returns their number, or
 * negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);
/* opens the kernel's table of queues; owned by the caller, negative errno */
int queue_table(struct supervisor *s, struct err *e);

/* ground.c */
int event_pair(int sv[2], struct err *e);	       /* [0] reads, [1] writes */
void role_kill(struct supervisor *s, struct slot *sl); /* SIGKILL; role_exited follows */
/* The same on purpose: it is started again at once, and no failure. */
void role_renew(struct supervisor *s, struct slot *sl);
/* Sends a message to a role. A role whose socket is full does not answer any more, and is killed.
 * False when it was not sent. */
bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n);
bool slot_alive(const struct slot *sl);
/* The name of the process for people. */
#define SLOT_TITLE 32u
const char *slot_title(const struct slot *sl, char out[SLOT_TITLE]);

/* roles.c */
void roles_init(struct supervisor *s);
void roles_want(struct supervisor *s, unsigned slot); /* from now on the slot's process is to run */
void roles_start_due(struct supervisor *s, uint64_t now);
/* next moment something is due, UINT64_MAX = none */
uint64_t roles_due(const struct supervisor *s);
/* Notes that the slot's process has ended, and when to start the next one; *ret_how says how it
 * ended. False: it has not ended. */
bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how);

/* dispatch.c */
void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);

/* watch.c: roles that are alive but hang */
void watch_due(struct supervisor *s, uint64_t now);
uint64_t watch_next(const struct supervisor *s); /* monotonic ns */
int watch_open(struct supervisor *s, struct err *e);
void watch_answered(struct slot *sl, uint32_t id);

#endif
