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
 * ground.c      what does not change while the daemon runs; helpers: time, a line for people, a
 *               record, a message to a role
 * guard.c       namespaces, lock and deny base; rules for cards outside the box; turns forwarding
 *                 off if enforce does not
 * folders.c     checks the folders of the roles; sockets that people connect to
 * network.c     addresses, links and routes that other programs changed
 * roles.c       start, end and restart of roles; spawn.c starts a process, sockets.c opens its
 *                 descriptors, watch.c ends it when it hangs
 * workers.c     the workforce: pairs of gate and worker, queue sockets, command tables; once.c the
 *               verdict cache
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

#include "appliance/base/messages.h"
#include "appliance/supervise/generations.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/reported.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/sockets.h"
#include "appliance/supervise/workers.h"
#include "appliance/wire/slot.h"

struct network;
struct notify;
struct orders;
struct persons;
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
	struct ground ground;
	struct sockets sockets;
	struct workforce workforce;
	struct generations gens;
	struct reported reported;
	struct slot slots[SLOTS];
	int link_fd; /* notifications of devices in the initial namespace */
	/* notifications: 0 and 1 of links, addresses and routes of the data and the admin
	 * namespace; NETWORK_RULES and NETWORK_EGRESS of their rules */
	int network_fd[NETWORKS];
	struct kept kept;
	/* monotonic ns: when to try again to write to a full disk; 0 = not tried yet */
	uint64_t save_again;
	struct relay relay;
	struct operation op;
	struct operation queued; /* one request that waits for an internal operation */
	struct {
		uint32_t next_id; /* of the last question to a role */
		uint32_t changes; /* operations that have begun so far */
	} numbers;
	/* Private data of the files named beside them, made at the start. */
	struct orders *orders;	 /* orders.c */
	struct persons *persons; /* persons.h */
	struct watch *watch;	 /* watch.c */
	struct network *network; /* network.c */
	struct notify *notify;	 /* notify.c */
};

/* supervise/role.c: prints to standard error where each interface stays, and which rules apply
 * there after the daemon's end */
void leave_say(const struct supervisor *s);

#endif
