/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforce role: the only process that changes the kernel's rules. It takes sealed generations
 * (rule IR, never netlink bytes), makes the kernel's table equal to them, reads back what the
 * kernel has, and watches for changes by others. It reads no packet. This header is for the files
 * of this folder only:
 *
 *   enforce/role.c        descriptors, sandbox, loop, messages; look.c: the same for a caller that
 *                         is no role, while no enforce runs
 *   enforce/work.c        ends work that nobody waits for, and reports its progress
 *   enforce/generation.c  a generation in memory with its permit ids and kernel indexes, and the
 *                         moment by which its ends are judged
 *   enforce/expect.c      the image that the kernel should have for a generation
 *   enforce/apply.c       one apply: lingering permits, sessions that it cuts, commit
 *   enforce/sync.c        the transactions that make the table equal to an image
 *   enforce/usage.c       which permits live sessions have
 *   enforce/relabel.c     sessions that now belong to another permit
 *   enforce/cut.c         the sessions that an apply ends
 *   enforce/trust.c       whether the clock is trusted
 *   enforce/ended.c       sessions whose time is over: their permit's, or their conduit's limits
 *   enforce/isolations.c  isolations by people; isolate.c sets them in the kernel
 *   enforce/doors.c       doors that people open; door_book.c decides about them
 *   enforce/heard.c       conduits with heard_within, and which of them are silent
 *   enforce/session.c     the present sessions: in the words of the policy, by zone and lane, and
 *                         for heard.c
 *   enforce/verify.c      expected against dumped, as a list of differences
 *   enforce/walk.c        the way of a packet through the rules that were read
 *   enforce/witness.c     compares the policy with such walks (witness_edges.c chooses packets,
 *                         witness_box.c tests the box's own traffic)
 *   enforce/effective.c   the rules in force, for people (policy/ir/json.c: grants)
 *   enforce/status.c      the state of the kernel's side, and counters for the supervisor
 *   enforce/matched.c     what was used, and when
 *   enforce/used.c        the record of that to and from the supervisor; for the journal, how many
 *                         sessions of each conduit began
 *   enforce/sockets.c     the netlink sockets, and the kernel's index of each interface
 *   enforce/monitor.c     notices and records changes by others, and turns forwarding off at the
 *                         first one
 *   enforce/drift.c       finds out what was changed, and mends it
 */
#ifndef SEKISHO_ENFORCE_ENFORCE_H
#define SEKISHO_ENFORCE_ENFORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/isolations.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/trust.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/talk.h"
#include "appliance/wire/event.h"

struct err;
struct generation_held;

/* What the loop does at regular intervals (role.c). */
enum chore { CHORE_SETTINGS, CHORE_LINGER, CHORE_HEARD, CHORE_UNANSWERED, CHORE_TRUST, CHORE_COMPARE, CHORES };

/* What is open to the kernel. */
struct kernel_side {
	struct netlink net;
	int links;	/* notifications of devices */
	int neighbours; /* for neighbours_read (links.h) */
	struct forwarding forwarding;
	int reverse_path; /* owned; see reverse_path_open (box/sysctl.h) */
	unsigned lacks;	  /* bits of enum kernel_lack */
	/* the rules in the kernel may ask the verdict cache of an earlier daemon, whose memory
	 * nobody writes any more. The text of the rules does not show this */
	bool once_earlier;
};

/* What is open to the other roles. */
struct role_side {
	int control; /* the channel to the supervisor */
	struct event_port events;
};

struct enforce {
	struct role_side roles;
	struct kernel_side kernel;
	struct generation_held *now; /* the generation in force; NULL before the first apply */
	bool mend_due;		     /* our last change did not reach the kernel */
	struct watched watched;
	struct timing timing;
	struct isolated isolated;
	struct {
		json_t *list; /* owned: door_book.h; NULL = not told yet */
		/* monotonic ns: a change of the list was sent to the supervisor, and is lost if it
		 * has not come back by then; 0 = no change is under way */
		uint64_t sent_until;
		bool asked; /* the change under way opens and shuts nothing */
		uint64_t looked_s;
	} doors;
	struct uses uses;
	struct msg_unanswered unanswered; /* last reported to the supervisor */
	bool unanswered_told;
	uint64_t due_ns[CHORES]; /* monotonic: when each is done again */
	struct hearing hearing;
	struct telling telling;
};

/* Opens what both the role and a look without it (look.h) need, except the socket for the rules.
 * enforce_end frees everything that *f owns, except that socket. 0 or negative errno. */
int enforce_begin(struct kernel_side *kernel, struct err *e);
void enforce_end(struct enforce *f);

#endif
