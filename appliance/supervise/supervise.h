/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: opens what needs root, starts the roles, watches and restarts them, keeps the generations, and answers
 * the control socket. One process, one thread, one poll loop that never waits for anybody; it reads no packet and no
 * policy text. Its death ends all roles and leaves the rules in force.
 *
 * Its first part is for appliance/main.c; the rest is what the files of this folder share, and each header beside it an idea:
 *   here           role.c        start, loop, end, and what the end leaves behind
 *                  notify.c      to the service manager: ready, alive, ending
 *                  without_daemon.c  what stands without a daemon
 *   ground.h       ground.c      time, a line for people, a record, a role's process as others see it: what all stand on
 *   guard.h        guard.c       namespaces, lock and deny base; cards at home; forwarding off, whatever hangs
 *   folders.h      folders.c     folders of roles in which something else lies, sockets that people connect to
 *   network.h      network.c     addresses, links and routes that somebody else changed
 *   roles.h        roles.c       life and death of roles, restarts
 *                  spawn.c       a role's process: descriptors, namespace, execution
 *                  sockets.c     what is opened in other namespaces and handed to roles
 *                  watch.c       roles that live but do nothing
 *   workers.h      workers.c     pairs of gate and worker, queue sockets, command tables
 *   policy.h       policy.c      a generation in memory: unseal, permit ids, table image
 *   in_force.h     in_force.c    which generation a permit comes from, and who is told what is in force
 *                  kernel.c      the messages that carry a generation to enforce and journal
 *   operation.h    operation.c   the one operation that changes what is in force: beginnings, deadlines, trials
 *                  apply.c       its steps
 *   op.h           op.c          its ends, whose sessions end by it, and a backup's sealing, which waits for it
 *                  impact.c      what it will do to live sessions, asked of the workers before it is done
 *                  kept.c        devices that were taken, and their way back, with a daemon and without
 *   asker.h                      who ordered something
 *   orders.h       orders.c      orders of people, and who gave them
 *   relay.h        relay.c       between control and everybody else
 *                  dispatch.c    what roles may say, and what follows from their death
 *   surroundings.h surroundings.c  the box's links, and what stands beside them
 *   companions.h   companions.c  settings of the programs that speak for the box, and what they say: mail, SNMP, the UPS
 *   clock.h        clock.c       whether the clock is trusted since the machine started
 *   isolation.h    isolation.c   what people isolated
 *   doors.h        doors.c       which doors people opened
 *   uninspected.h  uninspected.c packets that were to be inspected and were not, or that the tap was to be told of
 *   unserved.h     unserved.c    when that is an alarm
 *   shut_out.h, partition.h, table_merge.h: a file each
 */
#ifndef SEKISHO_SUPERVISE_SUPERVISE_H
#define SEKISHO_SUPERVISE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/box.h"
#include "appliance/role/vigil.h"
#include "appliance/store/generation.h"
#include "appliance/store/permit_ids.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/clock.h"
#include "appliance/supervise/companions.h"
#include "appliance/supervise/doors.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/isolation.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/partition.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/uninspected.h"
#include "appliance/supervise/workers.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pulse.h"

struct supervise_options {
	const char *data_netns, *admin_netns, *state, *run;
	enum lang lang;
	uint32_t workers; /* pairs of each kind at least; a generation may ask for more */
};

/* The daemon; returns its exit status. */
int supervise(const struct supervise_options *o);
/* The deny base alone: makes both namespaces and loads it, or finds it; returns the exit status. */
int supervise_base(const struct supervise_options *o);
/*
 * Without a daemon: gives the device back (NULL: all of them), or with `list` only says which there are. Prints one JSON object as the
 * daemon answers it; returns the exit status.
 */
int release_alone(const struct supervise_options *o, const char *device, bool list);
/* Without a daemon: prints the answer to "status" or "effective" as JSON; returns the exit status that goes with it. */
int supervise_standing(const struct supervise_options *o, const char *question);

/* ---- everything --------------------------------------------------------------------------------------------------- */

#define NETWORKS 4
#define NETWORK_RULES 2	 /* rules of the data namespace */
#define NETWORK_EGRESS 3 /* those of the admin namespace */

struct pair {
	bool wanted;
	uint8_t slots; /* of every lane of its kind; for as long as this daemon lives */
	int queues
		[LANE_COUNT]; /* a socket for its slots of each lane, -1 = none; stay open over any death of the pair */
	int ring, wake;	      /* of the worker alive, -1 = none */
	int pulse_fd;	      /* of its gates, one after the other; -1 = none */
	struct pulse *pulse;
	uint32_t pulse_seen;
	struct vigil vigil; /* since it last moved */
	bool poked;	    /* since then it was given something to wake up for */
	uint8_t ack[32];    /* digest of the table it has, once acked */
	uint32_t owed;	    /* acknowledgements of earlier tables and this one that are still to come */
	struct vigil table; /* since one of them was awaited; watch.c */
	bool awaited;
	bool acked;
};

struct supervisor {
	const struct supervise_options *o;
	struct box_spaces spaces, scratch; /* where we are; where a dry run tries */
	int state_fd, run_fd, signal_fd, trial_fd;
	int listen_fd;		 /* the control socket, which the role control accepts from */
	int logins_fd;		 /* the socket of logins that are no root's; -1 = there is none */
	int run_lock, data_lock; /* of box/netns.h: as long as we live */
	int mgmt_fd;		 /* the web side's listening socket */
	struct backstop backstop;
	int passed_fd;	   /* what connection tracking tells the tap; in_force.c */
	int neighbours_fd; /* what the neighbour table tells it */
	int link_fd;	   /* tells of devices that come into the initial namespace */
	int network_fd
		[NETWORKS]; /* tell of links, addresses and routes of the data and the admin namespace; of rules */
	bool ending;
	struct event_port events; /* the supervisor's own; the journal reads events_out */
	int events_out;
	struct slot slots[SLOTS];
	struct partition partition;
	struct pair pairs[PAIR_MAX];
	uint32_t cores; /* that workers may use, as of the start */
	uint32_t workers_asked
		[LANE_KINDS]; /* by the generation or the option, whichever is more; or what suits the box */
	uint32_t workers_run[LANE_KINDS]; /* pairs that the slots are divided among; 0 = no lane of this kind yet */
	uint64_t lanes;			  /* bit n: queue sockets of lane n exist */
	int table_fd;			  /* sealed memfd: the image every worker shall have; -1 = none */
	uint8_t *table;
	size_t n_table;
	uint8_t table_digest[32];
	struct stamps stamps;	       /* of `table` */
	struct remembered *remembered; /* of kernel.c; owned */
	uint32_t next_id;
	struct generation_store store;
	json_t *kept;	   /* store/kept.h: what devices were; owned */
	bool kept_unsaved; /* it is not on disk, which is full or fails */
	struct permit_ids ids;
	struct clock_trust clock;
	struct isolations isolations;
	struct doors doors;
	struct ups_state ups;
	pid_t token_told; /* the process of mgmt that has told what became of its token, last; 0 = none */
	struct unheard unheard;
	struct policy *now;	       /* in force, never NULL once started */
	const struct policy *pairs_of; /* what pairs_fd was made from; only compared */
	int pairs_fd;		       /* -1 = none */
	bool booted;		       /* `now` was once made true since the start */
	uint32_t enforce_leaves;       /* the operation that it was told to stop and has not left off yet, 0 = none */
	bool adopted;		       /* this enforce knows what stands in the kernel */
	uint64_t trial;		       /* generation on trial, 0 = none */
	uint64_t trial_until_wall;     /* by the clock at its begin; whoever tells it asks trial_until() */
	uint64_t trial_until_boot;     /* the same by trial_boot_ns() */
	uint64_t save_again;	       /* monotonic ns: when to try to write what found no room; 0 = not tried yet */
	uint64_t boot_again;	       /* monotonic ns: try once more to make `now` true; 0 = no need */
	uint64_t refusing_again;       /* monotonic: workers that all refuse what is in force are ended no earlier */
	bool box_incomplete;	       /* a device of `now` is missing or would not be set */
	struct sentence boot_error;    /* why the last try failed */
	struct sentence trial_error;   /* why a trial that is over could not be ended yet */
	struct sentence store_error;   /* why the confirmed generation could not be read, until another is in force */
	struct relay relay;
	struct errands errands;
	struct operation op;
	uint32_t changes;	 /* operations that have begun so far */
	struct operation queued; /* one request that waits for an operation of our own */
	/* Each its own file's, made at the start. */
	struct orders *orders;		 /* orders.c */
	struct watch *watch;		 /* watch.c */
	struct network *network;	 /* network.c */
	struct notify *notify;		 /* notify.c */
	struct uninspected *uninspected; /* uninspected.c */
};

/* supervise/ground.c */
uint64_t mono_ns(void);
void say(const struct supervisor *s, enum message m, ...); /* one line on standard error */
void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what);
/* Who asked for the operation at hand: an account, at the machine "login/account". */
void policy_by(const struct supervisor *s, char out[USER_BY]);
/* A step of the operation at hand, by whoever asked for it; `object`: about what, NULL = nothing. */
void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object);
/* What is no step of the operation at hand: by whom, and about what; NULL = nobody, nothing. */
void policy_event_of(struct supervisor *s, enum policy_event what, uint64_t number, const char *by, const char *object);
/* Runs `open_in(ctx)` in the namespace and comes back whatever happens. */
int in_namespace(struct supervisor *s, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e);
uint64_t trial_boot_ns(void);			  /* its timer's time: goes on in sleep, and is never set */
uint64_t trial_until(const struct supervisor *s); /* wall ns, by the clock as it is now set: when the trial ends */

/* supervise/guard.c. *adopted: rules of a predecessor stood. Before this has succeeded no interface is touched. */
int guard_enter(struct supervisor *s, bool *adopted, struct err *e);

/* supervise/notify.c */
int notify_open(struct supervisor *s, struct err *e);
void notify_due(struct supervisor *s, uint64_t now);
uint64_t notify_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
void notify_ending(struct supervisor *s);

/* supervise/without_daemon.c: leaves word in the run folder of what is looked at when this daemon is gone */
void standing_note(const struct supervisor *s);

/* supervise/companions.c: the settings of the programs that speak for the box, as `now` says ... */
void beside_write(struct supervisor *s);
/* folders.c: at the start, before privileges fall: what a role could not read in its folder of state is set aside, and said. */
void folders_tidy(struct supervisor *s);
/* ... and whether what those of `ir` name is there; false: *ret says why not. */
bool beside_ready(const struct ir *ir, struct sentence *ret);
/* Of `status`: to which log server records go, and how many wait for it as far as rsyslogd has put it down; null when box.cfg names none. */
json_t *json_log(const struct supervisor *s);

/* supervise/role.c: on standard error, where each interface stays and what decides there from now on */
void leave_say(const struct supervisor *s);

/* supervise/network.c: addresses, links and routes that others changed */
int network_open(struct supervisor *s, struct err *e);
void network_heard(struct supervisor *s, int fd);
void network_due(struct supervisor *s, uint64_t now);
uint64_t network_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* How often they had to be set right, and when the last time (wall ns). */
uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns);

/* supervise/folders.c: the sockets that people connect to; negative errno. That of logins is there where its group is. */
int listen_open(struct supervisor *s, struct err *e);
void listen_open_logins(struct supervisor *s);

#endif
