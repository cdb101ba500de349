/* SPDX-License-Identifier: Apache-2.0 */
/* The three parts of `sekisho learn`: the study of frames, the proposal made of what was learnt,
 * and the interface at a mirror port. */
#ifndef SEKISHO_MGMT_CLI_LEARN_LEARN_H
#define SEKISHO_MGMT_CLI_LEARN_LEARN_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/learn/learnt.h"
#include "mgmt/cli/learn/tags.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/replay/capture.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"

/*
 * Learns from frames of a file or a mirror port. The frames are replayed (mgmt/cli/replay/run.h)
 * under two policies that allow everything: one judges the commands of all protocols that have an
 * enforcer, the other one only names protocols. After a fixed number of sessions the results are
 * added to `learnt` and both replays begin anew, so memory is bounded for any duration. The same
 * frames give the same result. A program can have one study at a time.
 */

struct study;

/* `policy`: the site's, whose refusals are counted; it must outlive the study; NULL: none. Returns
 * NULL with *e filled; owned by the caller. */
struct study *study_new(struct ir *policy, struct err *e);
void study_free(struct study *s); /* accepts NULL */
void study_frame(struct study *s, const struct capture_frame *f);
/* The counts so far, valid until the next call. Sessions of the present round are not among them;
 * study_sessions() counts those. */
const struct tally *study_tally(const struct study *s);
uint32_t study_sessions(const struct study *s); /* number of sessions followed at present */
/* To be called after the last frame. Returns everything that was learnt, settled; borrowed from the
 * study. */
struct learnt *study_finish(struct study *s);

/*
 * Makes lines of a policy from learnt traffic. It proposes only what was seen, with one exception:
 * reads are allowed for all addresses between the lowest and the highest one that was read in a
 * data block, class of objects or module. Written addresses are listed exactly. A conduit joins
 * clients with the same requests to one server, and servers with the same requests from the same
 * clients.
 */

/* What the operator said of his site. */
struct said {
	const struct source *policy; /* NULL: none */
	struct tag_names *tags;	     /* NULL: none */
};

/*
 * Prints the proposal to c->out. Without a policy it is a whole policy. With one, it has the
 * services and conduits that this policy lacks, and uses its names for hosts. With --json it is one
 * object. `from`: what was read, for people. Sessions in `l` that did not show their protocol are
 * joined with sessions of the same ends that did. *ret_refused: `check` would refuse the text, or
 * there was nothing to propose, so the text is no policy. False when memory is out.
 */
bool propose(struct cli *c, struct learnt *l, const struct said *said, const char *from, bool *ret_refused);

/*
 * An interface at the mirror port of a switch, which must not send anything. While it is taken, it
 * has no address, no ARP, no neighbour discovery and no IPv6, and its frames go only to the
 * capture. Afterwards it is restored. This module does what needs a privilege; it reads no frames.
 */

#define MIRROR_LOSSES 3u

struct mirror {
	char name[IFNAMSIZ];
	short flags;	     /* the flags that the interface had before */
	char settings[4][8]; /* earlier kernel settings; "" = there is no such setting */
	uint64_t sent, lost[MIRROR_LOSSES];
	/* the card's counters of lost frames, to be read once; -1: it has none */
	int losses[MIRROR_LOSSES];
	int lock; /* while it is open, no other run can take the interface */
};

/*
 * Takes the interface. False, after printing the reason: it does not exist, is in use (perhaps by
 * another learn), or box.cfg names it. Then nothing has changed, and *ret_status is set. `model`:
 * of a policy that was named on the command line, or NULL.
 */
bool mirror_take(struct cli *c, const char *device, const struct model *model, struct mirror *ret, int *ret_status);
/* The number of frames that the card lost for lack of room since the interface was taken. Call it
 * only once; it needs no privilege. */
uint64_t mirror_missed(const struct mirror *m);
/* Restores the interface. Returns how many frames the card lost. Without --json, it also prints
 * this number, and how many frames the interface sent although it should send none. */
uint64_t mirror_give_back(struct cli *c, const struct mirror *m);

#endif
