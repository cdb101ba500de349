/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor opens what needs root, starts, watches and restarts the roles, keeps the
 * generations, and carries out the orders that change the box. It is one process with one thread
 * and one poll loop that never waits for anybody. It reads no packet and no policy text. If it
 * ends, all roles end, and the rules stay in force.
 *
 * The files:
 *
 * role.c        start, loop, end, and what the end leaves behind
 * notify.c      messages to the service manager: ready, alive, ending
 * ground.c      helpers: time, a line for people, a record, a message to a role
 * guard.c       namespaces, lock and deny base; rules for cards outside the box; turns forwarding
 *                 off if enforce does not
 * folders.c     checks the folders of the roles; sockets that people connect to
 * network.c     addresses, links and routes that other programs changed
 * roles.c       start, end and restart of roles; spawn.c starts a process, sockets.c opens its
 *                 descriptors, watch.c ends it when it hangs
 * workers.c     pairs of gate and worker, queue sockets, command tables; once.c the verdict cache
 * policy.c      a generation in memory, and the messages that carry it
 * operation.c   the operation that changes what is in force: its beginning and deadlines, trials
 *                 (operation.h); apply.c its steps, op.c its end
 * kept.c        network devices that the box took, and how they are given back
 * persons.c     accepts people at the machine, and reads their orders
 * orders.c      orders of people, and the check of who gave them; records.c names them in those
 *                 that the journal carries out
 * relay.c       questions of control to other processes, and their answers; what enforce keeps on
 *                 the disk
 * told.c        what control is told: the state, counts, answers to orders
 * dispatch.c    messages of roles, what follows from a role's death, and control's work for a
 *                 compiler
 * companions.c  settings of the programs for mail, SNMP and logs; the UPS
 *
 * A function NAME_due does what its part has to do by the clock at `now`, in monotonic ns. It
 * returns when it is to be asked again; UINT64_MAX: not before something happens (role.c).
 */
#ifndef SEKISHO_SUPERVISE_SUPERVISE_H
#define SEKISHO_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/box.h"
#include "appliance/role/partition.h"
#include "appliance/store/generation.h"
#include "appliance/store/permit_ids.h"
#include "appliance/supervise/backstop.h"
#include "appliance/supervise/counting.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/pair.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/ups.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/past.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/table_merge.h"

struct network;
struct notify;
struct orders;
struct persons;
struct policy;
struct watch;

struct supervise_options {
	const char *data_netns, *admin_netns, *state, *run;
	enum lang lang;
	uint32_t workers; /* least number of pairs of each kind; a generation may ask for more */
};

/* The daemon; returns its exit status. */
int supervise(const struct supervise_options *o);

#define NETWORKS 4
#define NETWORK_RULES 2	 /* index for changes of rules in the data namespace */
#define NETWORK_EGRESS 3 /* index for changes of rules in the admin namespace */

struct supervisor {
	const struct supervise_options *o;
	/* the namespaces of the box; those in which a dry run tries addresses */
	struct box_spaces spaces, scratch;
	int state_fd, run_fd, signal_fd, trial_fd;
	int listen_fd;		 /* the control socket, which the role control accepts from */
	int logins_fd;		 /* the socket for logins other than root; -1 = none */
	int orders_fd[2];	 /* the same two for orders, accepted here (persons.h); -1 = none */
	int run_lock, data_lock; /* locks of box/netns.h, held as long as the daemon runs */
	int mgmt_fd;		 /* the web side's listening socket */
	/* enforce's socket for requests, which owns the table: every enforce gets the same */
	int rules_fd;
	bool rules_kept; /* the service manager kept rules_fd of an earlier daemon */
	struct backstop backstop;
	int passed_fd; /* notifications of connection tracking for the tap; told.c */
	/* memory of control and of the journal, sockets.c; -1 = not made yet */
	int alarms_fd, names_fd;
	/* generations for the journal wait there, also while there is none */
	int told_in, told_out;
	int neighbours_fd; /* notifications of the neighbour table for the tap */
	int link_fd;	   /* notifications of devices in the initial namespace */
	/* notifications: 0 and 1 of links, addresses and routes of the data and the admin
	 * namespace; NETWORK_RULES and NETWORK_EGRESS of their rules */
	int network_fd[NETWORKS];
	bool ending;
	struct event_port events; /* the supervisor's own; the journal reads events_out */
	int events_out;
	struct slot slots[SLOTS];
	struct partition partition;
	struct pair pairs[PAIR_MAX];
	struct once once;
	uint32_t cores; /* cores that workers may use, read at the start */
	/* asked for by the generation or the option, whichever is more; or chosen by the box */
	uint32_t workers_asked[LANE_KINDS];
	/* pairs that the slots are divided among; 0 = no lane of this kind yet */
	uint32_t workers_run[LANE_KINDS];
	uint64_t lanes; /* bit n: queue sockets of lane n exist */
	/* sealed memfd with the image that every worker should have; -1 = none */
	int table_fd;
	struct table table;
	uint8_t table_digest[32];
	uint32_t next_id;
	struct generation_store store;
	json_t *kept;	   /* store/kept.h: the earlier state of devices; owned */
	bool kept_unsaved; /* it is not on disk, which is full or fails */
	struct permit_ids ids;
	struct msg_clock clock; /* what enforce said last */
	char boot[MOMENT_BOOT]; /* boot id of this start of the machine */
	bool sources;		/* the confirmed policy names time sources */
	struct paper_kept papers[PAPERS];
	struct ups_state ups;
	/* pid of the process of mgmt that last reported the state of its token; 0 = none */
	pid_t token_told;
	struct policy *now; /* in force, never NULL once started */
	int pairs_fd;	    /* for gates, of enforce (wire/pairs.h); -1 = none */
	bool booted;	    /* `now` has been loaded at least once since the start */
	/* the operation that enforce was told to stop but has not stopped yet, 0 = none */
	uint32_t enforce_leaves;
	bool adopted;	/* this enforce has read the rules in the kernel */
	uint64_t trial; /* generation on trial, 0 = none */
	/* end of the trial by the clock at its beginning; use trial_until() to show it */
	uint64_t trial_until_wall;
	uint64_t trial_until_boot; /* the same by clock_boot_ns() */
	/* monotonic ns: when to try again to write to a full disk; 0 = not tried yet */
	uint64_t save_again;
	/* monotonic ns: when to try again to load `now`; 0 = not necessary */
	uint64_t boot_again;
	/* monotonic ns: workers that all refuse the table in force are not ended earlier */
	uint64_t refusing_again;
	bool box_incomplete;	     /* a device of `now` is missing, or could not be set */
	struct sentence boot_error;  /* why the last attempt failed */
	struct sentence trial_error; /* why a trial that is over could not be ended yet */
	/* why the confirmed generation could not be read, until another is in force */
	struct sentence store_error;
	struct relay relay;
	struct counting counting;
	struct operation op;
	uint32_t changes;	 /* operations that have begun so far */
	struct operation queued; /* one request that waits for an internal operation */
	/* Private data of the files named beside them, made at the start. */
	struct orders *orders;	 /* orders.c */
	struct persons *persons; /* persons.h */
	struct watch *watch;	 /* watch.c */
	struct network *network; /* network.c */
	struct notify *notify;	 /* notify.c */
};

/* Whether a policy is on trial, and time sources of the confirmed one decide about the clock. */
static inline bool trial_sources(const struct supervisor *s)
{
	return s->trial != 0 && s->sources;
}

/* supervise/role.c: prints to standard error where each interface stays, and which rules apply
 * there after the daemon's end */
void leave_say(const struct supervisor *s);

#endif
