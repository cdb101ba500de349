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
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/heard.h"
#include "appliance/enforce/matched.h"
#include "appliance/kernel/apart.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/talk.h"
#include "appliance/store/moment.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

#define GENERATION_MAX IR_SEALED_MAX /* bytes of a sealed generation with its id map */
/* permits kept for their live sessions; further ones are cut */
#define LINGER_MAX 256u

/* A permit that left the policy under on_tighten = "new_flows" and still has sessions. */
struct lingering {
	uint32_t permit, lane;
};

/* The index of each permit id, for a quick search: it is needed for every session that is read. */
struct permit_at {
	uint32_t id, index;
};

struct generation_held {
	struct arena *arena;
	struct ir ir;
	struct ir_book book;	 /* the names of the assets at the addresses in `ir` */
	uint32_t *ids;		 /* permit id per permit index */
	struct permit_at *by_id; /* sorted */
	uint32_t *interfaces;	 /* kernel index per interface, 0 = the interface is missing */
	struct lingering lingering[LINGER_MAX];
	size_t n_lingering;
	struct image kept; /* kernel elements of the lingering permits */
	/* per interface, its kernel index in `kept`, which is the last index that the interface
	 * had; 0 = none */
	uint32_t *kept_at;
	uint32_t *known; /* ids of the permits for which workers have tables, sorted */
	size_t n_known;
	/* seconds since 1970: the time for which generation_at last computed the ends; 0 = never */
	uint64_t asked_s;
	/* seconds since 1970: when scheduled hours next open something; UINT64_MAX = never */
	uint64_t opens_s;
	/* by permit: its last end that had passed at `asked_s`; 0 = none had */
	uint64_t *over_s;
	uint64_t *was_s; /* by permit: its end before that computation */
};

/* What the journal was last told (used.c). Starts as zeros. */
struct begun {
	/* owned; the counts of each permit, in halves of sessions; NULL = nothing was told yet */
	struct msg_used_permit *told;
	size_t n;
	uint64_t due_ns; /* monotonic */
};

#define DEEDS 14u /* kinds of changes: appliance/wire/deed.def */

/* Changes by others since the last reaction to them. */
struct meddling {
	/* Forwarding is off because our table was changed, or because it is not known which table
	 * was. */
	bool table;
	bool beside;	    /* another program's table was changed */
	uint64_t beside_ns; /* monotonic: when such a change was first reported */
	/* the present call of monitor_glance has read no report about our table yet */
	bool fresh;
	bool touched;  /* the transaction that is being reported changed our table */
	uint32_t news; /* how often forwarding was turned off */
	/* the longest time that forwarding may have been on with a changed table */
	uint64_t gap_ns;
	uint64_t shut_ns; /* monotonic: when forwarding was last turned off */
	uint32_t pid;	  /* the author's pid, as the kernel reports it; 0 = it did not */
	char process[17];
	struct {
		uint32_t n;
		char first[32]; /* chain or set of the first change of this kind */
	} deeds[DEEDS];
	char trouble[160]; /* why forwarding could not be turned off */
};

/* Counters of this thread before it went to sleep. */
struct sleep_counters {
	bool counted;
	uint64_t waited_ns, sleeps;
};

/* Labels that a comparison has found right. Before the kernel's next transaction they need not be
 * read again. */
struct labels {
	bool known;
	struct arena *arena; /* owned */
	struct image image;  /* only the labels, and the number of the transaction */
};

/* Messages that arrive during long work, and whether the work has to end. */
#define HEARING_MOST 32u

struct hearing {
	/* a ring of messages received and not handled yet. A message is never moved, because its
	 * texts point into it */
	struct msg kept[HEARING_MOST];
	size_t first, n;
	int broken; /* the channel failed: negative errno */
	bool working, stop;
	/* `way`: the present work makes way for a person's order; `urgent`: such an order came;
	 * `gone`: nobody waits for the work any more */
	bool way, urgent, gone;
	uint32_t work;	   /* the id of the question that it answers */
	uint64_t again_ns; /* monotonic: when to look for messages again */
	uint64_t stopped;  /* how often work ended because nobody waited */
};

/* The progress of the present question, if its asker wants to be told. */
struct telling {
	bool on;
	uint32_t id;
	enum progress_stage stage;
	uint32_t done, of; /* `done` of `of` entries of the stage; 0 = not known */
	uint64_t again_ns; /* monotonic: send no message before */
};

/* What the loop does at regular intervals (role.c). */
enum chore { CHORE_SETTINGS, CHORE_LINGER, CHORE_HEARD, CHORE_UNANSWERED, CHORE_TRUST, CHORE_COMPARE, CHORES };

/* Whether the clock has been trusted since the machine started (trust.c). */
struct trust {
	char boot[MOMENT_BOOT];	 /* boot id of this start of the machine */
	int battery;		 /* owned: the battery-backed clock, -1 = there is none */
	enum moment_found found; /* the record on the disk: `moment` */
	struct moment moment;
	/* seconds since 1970: when the confirmed policy came into force. If there is no record of
	 * the latest moment, this is the latest time that is known */
	uint64_t policy;
	enum clock_wait wait;
	bool told;   /* an event that the clock is not trusted was recorded */
	bool stands; /* the rules of an earlier daemon have elements that end by time */
	/* the confirmed policy names time sources. A policy on trial must not make a clock trusted
	 * for longer than the trial */
	bool sources;
	uint64_t keep_ns; /* monotonic: when to look again at a trusted clock */
	struct clock_steady steady;
};

struct enforce {
	int control, monitor, links;
	/* file that tells how long this thread waited for a processor; -1 = the kernel has none */
	int delay;
	struct meddling meddling;
	struct sleep_counters sleep;
	uint64_t monitor_empty_ns; /* monotonic: when the monitor last had nothing to read */
	/* monotonic: changes that are read now did not happen before this time */
	uint64_t change_since_ns;
	/* we turned forwarding off, and could not turn it on again yet */
	bool shut;
	uint64_t shut_told_ns; /* monotonic: when `shut` was recorded; 0 = it was not */
	/* monotonic: when the table was last read and found right; 0 = never */
	uint64_t equal_ns;
	struct event_port events;
	struct netlink net;
	struct forwarding forwarding;
	int reverse_path; /* owned; see reverse_path_open (box/sysctl.h) */
	unsigned lacks;	  /* bits of enum kernel_lack */
	/* the rules in the kernel may ask the verdict cache of an earlier daemon, whose memory
	 * nobody writes any more. The text of the rules does not show this */
	bool once_earlier;
	struct generation_held *now; /* the generation in force; NULL before the first apply */
	/* seconds since 1970: sessions that ended by this time were reported */
	uint64_t ended_s;
	/* seconds since 1970: for permits that end by this time, the counters were read just
	 * before */
	uint64_t used_until_s;
	/* the clock is not trusted, so everything with an end is left out */
	bool waits;
	bool waits_due; /* `waits` has changed, and the kernel does not have it yet */
	struct trust trust;
	bool mend_due; /* our last change did not reach the kernel */
	/* the clock was set, and the expiry times in the kernel are not right yet */
	bool clock_due;
	bool relabel_due;   /* some sessions may be outside of their permit's cells */
	struct apart apart; /* owned: what people isolated */
	struct apart kept;  /* owned: what continues during isolations */
	/* the supervisor has told the isolations; before that, those in the kernel are valid */
	bool apart_known;
	/* owned: {"what", "by", "reason", "since", "pairs", "keep", "stage"}; NULL = not told */
	json_t *isolations;
	struct {
		json_t *list; /* owned: door_book.h; NULL = not told yet */
		/* monotonic ns: a change of the list was sent to the supervisor, and is lost if it
		 * has not come back by then; 0 = no change is under way */
		uint64_t sent_until;
		bool asked; /* the change under way opens and shuts nothing */
		uint64_t looked_s;
	} doors;
	struct matched matched;
	struct begun begun;
	struct labels labels;
	struct heard heard;
	uint64_t drifts;
	uint64_t drift_wall_ns; /* wall clock ns of the last drift, 0 = none */
	/* digest of the foreign objects that were last reported */
	uint8_t foreign_seen[32];
	/* digest of the settings that could not be set, as last reported */
	uint8_t settings_seen[32];
	struct msg_unanswered unanswered; /* last reported to the supervisor */
	bool unanswered_told;
	uint64_t lasting_ns;	 /* monotonic: when sessions with a limit are read again */
	uint64_t due_ns[CHORES]; /* monotonic: when each is done again */
	struct clock_pair clocks;
	struct hearing hearing;
	struct telling telling;
};

/* ---- enforce/role.c -------------------------------------------------------------------------- */

/* Opens what both the role and a look without it (look.h) need, except the socket for the rules.
 * enforce_end frees everything that *f owns, except that socket. 0 or negative errno. */
int enforce_begin(struct enforce *f, struct err *e);
void enforce_end(struct enforce *f);

/* ---- enforce/generation.c -------------------------------------------------------------------- */

/*
 * Unseals `n_sealed` bytes at p, followed by `n_map` bytes of permit ids (big-endian u32 each).
 * NULL and *e when anything is wrong: digest, counts, an id of 0, an id used twice.
 */
struct generation_held *generation_hold(const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
void generation_drop(struct generation_held *g); /* accepts NULL */
/* Index of a permit by its id, or UINT32_MAX. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id);
/* The first conduit that grants something under this permit index; NULL when there is none. */
const struct ir_conduit *generation_conduit(const struct generation_held *g, uint32_t permit_index);
bool generation_lingers(const struct generation_held *g, uint32_t permit);
/* Reads the ids of the permits for which workers have tables: they follow the id map in MSG_APPLY.
 * 0, -EBADMSG, -ENOMEM. */
int generation_note_known(struct generation_held *g, struct bytes b, struct err *e);
bool generation_knows(const struct generation_held *g, uint32_t permit);
/* Keeps a permit's elements of SET_LIVE and SET_AGREE as they are in `from`. 0, -ENOSPC when too
 * many linger, -ENOMEM. */
int generation_keep(struct generation_held *g, const struct image *from, struct lingering l);
/*
 * Sets the kernel indexes of the kept elements (`kept_at`): to those that `before` last had for the
 * same devices, because the elements still have these even if a device is gone or has returned.
 * `before` NULL: to those of `interfaces`.
 */
void generation_places(struct generation_held *g, const struct generation_held *before);
/* To be called after links_resolve: if a device has returned with another index, its kept elements
 * get that index. */
void generation_follow(struct generation_held *g);
/* The time with which ends are compared, in seconds since 1970. While the clock is not trusted, it
 * is later than every end. */
uint64_t enforce_moment(const struct enforce *f);
/* Computes what scheduled hours open now, and until when. While the clock is not trusted,
 * everything with an end counts as over, and nothing is computed. */
void generation_at(struct enforce *f, struct generation_held *g);
/* If something opens now, sets f->waits_due, so that the kernel is brought up to date
 * (enforce_waits_due). Returns the milliseconds until the next opening, -1 = not soon. */
int enforce_opens(struct enforce *f);
/* To be called when the clock was set: computes what is open now. The comparison that follows
 * (f->clock_due) mends the rules and records what was wrong. */
void enforce_hours_set(struct enforce *f);
/* The image and rule texts that the kernel should have for `g` now. 0 or negative errno. */
int generation_image(struct enforce *f, const struct generation_held *g, struct arena *a, struct image *ret,
		     struct expectation *ret_x, struct err *e);

/* The name of the interface with this kernel index; NULL: no interface of the generation has it. */
static inline const char *generation_interface(const struct generation_held *g, uint32_t index)
{
	for (uint32_t i = 0; index != 0 && i < g->ir.n_interfaces; i++)
		if (g->interfaces[i] == index)
			return g->ir.interfaces[i].name;
	return NULL;
}

/* ---- enforce/expect.c (kernel/image.h) ------------------------------------------------------- */

/* An element of a set of cells, taken apart. */
struct cell_read {
	uint32_t iif, oif; /* kernel indexes */
	struct addr_range src, dst;
	uint8_t l4proto;
	uint16_t lo, hi; /* ports */
};
struct cell_read cell_read(unsigned set, const struct image_element *el);

/* ---- enforce/trust.c ------------------------------------------------------------------------- */

/* To be called before the sandbox closes. */
void trust_open(struct trust *t);
/* Takes the record on the disk, or (with the id of an order) a person's word that the clock is
 * right. False: the message is malformed. */
bool enforce_trust(struct enforce *f, struct msg *m);
/* To be called before `next` is applied or tried. While no policy is in force, the clock is judged
 * by the time sources of `next`. */
void enforce_trust_before(struct enforce *f, const struct generation_held *next);
/* A generation has come into force. `had_sources`: the one before it named time sources. */
void enforce_trust_after(struct enforce *f, bool had_sources);
void enforce_trust_due(struct enforce *f); /* every second */
/* How the conduits of `g` with an end would wait for the clock. `tried`: `g` is on trial, and the
 * policy before it names time sources. */
enum clock_wait enforce_trust_waits(const struct enforce *f, const struct generation_held *g, bool tried);

/* ---- enforce/doors.c ------------------------------------------------------------------------- */

/* Handles an order about a door. It is answered now, or when the supervisor has stored the change.
 * False: the channel is broken. */
bool enforce_door(struct enforce *f, const struct msg *m);
/* Takes the list that the supervisor sends, and brings the kernel up to date. False: the message is
 * invalid. */
bool enforce_doors(struct enforce *f, uint32_t id, int fd);
void enforce_doors_due(struct enforce *f); /* to be called in each turn */

/* ---- enforce/isolations.c -------------------------------------------------------------------- */

/* Handles an order about an isolation, and answers it. False: the channel is broken. */
bool enforce_isolation(struct enforce *f, const struct msg *m);
/* Takes the list that the supervisor sends. */
void enforce_isolations(struct enforce *f, int fd);
/* To be called before and after `next` comes into force: isolates the addresses that the isolated
 * names have in it and in the policy in force. */
void enforce_isolations_before(struct enforce *f, const struct generation_held *next);
/* To be called when it is certain that the new generation stays in force. From then on, no
 * isolation keeps a conduit that this generation does not keep, even if a later one would keep
 * it. */
void enforce_isolations_in_force(struct enforce *f);

/* ---- enforce/apply.c ------------------------------------------------------------------------- */

/* Sessions on which an apply has the same effect: as JSON for people and, in the same order, as
 * records for MSG_APPLIED. */
struct told_sessions {
	json_t *json;	       /* an array; owned */
	struct outbuf records; /* its memory is owned */
	uint64_t n, more;      /* number of sessions in the list, and of those that did not fit */
	size_t bytes;	       /* bytes of their text */
};

/* The effect of an apply on the sessions that pass now. */
struct told {
	struct told_sessions cut, changed;
	uint64_t live;
};

struct sync_report {
	bool rules;   /* rules were refilled */
	bool rebuilt; /* the table had to be deleted and made again */
	size_t added, gone, messages;
	uint32_t line; /* policy line of a refusal, 0 = none */
};

struct apply_result {
	struct told told; /* owned by the caller: told_free */
	struct sync_report report;
	uint32_t lingering;	    /* number of permits that are kept for their sessions */
	uint32_t line;		    /* policy line of a refusal; 0 = none */
	enum clock_wait clock_wait; /* how conduits of this generation wait */
};

/*
 * Takes over `next` if f->now is `next` afterwards. That is so after success, unless this was a dry
 * run, and if the first policy of all was committed but forwarding could not be turned on.
 * Otherwise `next` stays the caller's. After a failure nothing has changed, except that forwarding
 * is off if settings could not be made safe.
 */
int enforce_apply(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		  struct err *e);
/* Makes the kernel's table equal to the generation in force, whatever the table has now. 0 or
 * negative errno. */
int enforce_mend(struct enforce *f, struct err *e);
/* Repeats enforce_mend if the last one failed: otherwise a comparison would take the remaining
 * differences for changes by others. */
void enforce_mend_due(struct enforce *f);
/* Sets whether everything with an end has to wait for a trusted clock. */
void enforce_waits(struct enforce *f, bool waits);
void enforce_waits_due(struct enforce *f); /* completes enforce_waits if that failed */
/* Sets the network settings, reads them back, and turns forwarding on. After a failure, forwarding
 * is off. */
int enforce_open(struct enforce *f, struct err *e);
/* Drops lingering permits that no session uses any more. */
void enforce_linger(struct enforce *f);
/* pairs.c: sends the pairs of addresses between which gates may send resets for strays
 * (wire/pairs.h). */
void enforce_pairs_tell(const struct enforce *f);

/* ---- enforce/sync.c -------------------------------------------------------------------------- */

/*
 * Makes the table, which was dumped as `have`, equal to `want`, which has the rule texts of `x`.
 * Uses want's arena as scratch memory. 0; -ERESTART, -ENOENT, -EEXIST if the kernel's table changed
 * meanwhile (dump again and repeat); otherwise a refusal that changed nothing. `try`: the kernel
 * checks everything and changes nothing.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e);

/* ---- enforce/usage.c ------------------------------------------------------------------------- */

/*
 * Which permits live sessions have: each permit of the generation in force, and permits of earlier
 * ones that were kept for their sessions. Other ids belong to sessions that were cut and are still
 * in the kernel's table; they do not count.
 */
struct kept_permit {
	uint32_t id;
	bool used;
};

struct usage {
	const struct generation_held *now; /* borrowed; NULL = none, after a start of this role */
	bool *used;			   /* per permit index of `now` */
	struct kept_permit *kept;	   /* sorted by id; both arrays are in the arena */
	size_t n_kept;
};

/* Marks no permit as in use. The kept permits are those of `now` or, if `now` is NULL, those in the
 * kernel's table `have`. False: memory is out. */
bool usage_begin(const struct generation_held *now, const struct image *have, struct arena *a, struct usage *ret);
/* For conntrack_dump, with the usage as context. */
void usage_restart(void *usage);
int usage_note(const struct session *s, void *usage);
bool usage_has(const struct usage *u, uint32_t id);

/* ---- enforce/isolate.c ----------------------------------------------------------------------- */

/*
 * Cuts what the isolations of the list cover under the generation in force and under `next` (NULL:
 * none), or with `rehearse` only computes their effect.
 * Returns the effect on live sessions, owned by the caller. NULL and *e: the kernel does not have
 * the new state yet; it is tried again, and an earlier isolation ends only when that succeeds.
 */
json_t *enforce_isolate(struct enforce *f, bool rehearse, const json_t *list, const struct generation_held *next,
			struct err *e);

/* ---- enforce/session.c ----------------------------------------------------------------------- */

/* The question whether the policy allows this session. */
static inline struct question session_question(const struct session *s, uint64_t now_s)
{
	return (struct question){ .source = s->client,
				  .destination = s->server,
				  .l4proto = s->l4proto,
				  .port = s->server_port,
				  .now = now_s };
}
/* A session in the words of the policy. Names of its ends and of its conduit come from the policy
 * `now` or, if it has none, from `names`; either may be NULL. NULL: no memory. */
json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q);
/* The first name in the filter that the policy in force does not have; NULL = it has all of
 * them. */
const char *enforce_flows_lacks(const struct generation_held *now, const struct event_filter *filter);
/* The list of present sessions (docs/json.md, flows). Needs f->now. Owned by the caller, NULL and
 * *e on failure. */
json_t *enforce_flows(struct enforce *f, const struct msg_flows *m, struct err *e);
/* "commands/cargo/closed/closed" */
json_t *enforce_lane_json(uint32_t number);
/* The number of tracked sessions, the limit of that number, and the shares (limits by zone and
 * lane) that are at least half full. */
json_t *enforce_tracking(struct enforce *f);
/* For conduits with heard_within: f->now has just come into force; its predecessor is still in
 * memory. */
void enforce_listen_adopt(struct enforce *f);
void enforce_listen(struct enforce *f); /* called in each look */
/* The number of conduits with heard_within, and which of them are silent (docs/json.md, status). */
json_t *enforce_expected(const struct enforce *f);

/* ---- enforce/cut.c --------------------------------------------------------------------------- */

int enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct told *ret,
		struct err *e);
/* The list of the TCP sessions that the apply ends, as in wire/cuts.h: a memfd, or negative
 * errno. */
int told_cuts(const struct told *t);
void told_free(struct told *t);

/* ---- enforce/relabel.c ----------------------------------------------------------------------- */

/* Gives a session whose packets are now in a cell of another live permit that permit's label.
 * `old`: the generation in force before; NULL = not known. What cannot be done now is left to the
 * next call (f->relabel_due). */
void enforce_relabel(struct enforce *f, const struct generation_held *old);

/* ---- enforce/ended.c ------------------------------------------------------------------------- */

/* Reports sessions whose permit has just ended by time. Returns the milliseconds until there may be
 * more, -1 = not soon. */
int enforce_ended(struct enforce *f);
/* As enforce_ended, for the generation `old`, which another one has just replaced: reports the
 * sessions that were not reported yet. */
void enforce_ended_leave(struct enforce *f, const struct generation_held *old);
/* If it is time to, reads the sessions that have a limit, reports those whose time is over, and
 * removes elements of sessions that are gone. Returns the milliseconds until the next time, -1 =
 * not soon. */
int enforce_lasting(struct enforce *f);

/* ---- enforce/used.c -------------------------------------------------------------------------- */

/* Takes the record of uses that an earlier enforce process made; ignored after the first look. 0,
 * or negative errno: then the record begins anew. */
int enforce_used_heard(struct enforce *f, int fd, struct err *e);
/* Sends the record of uses to the supervisor, unless it has the record of the last look already. */
void enforce_used_tell(struct enforce *f);
/* Reads the counters for the record of uses. To be called when the counters are about to be
 * lost. */
void enforce_used_look(struct enforce *f);
/* Takes a dump that was made while f->now was in force, and reports to the journal how many
 * sessions began: with `at_once` now, otherwise only if a report is due. */
void begun_looked(struct enforce *f, const struct image *have, bool at_once);
void begun_free(struct begun *b);

/* ---- enforce/verify.c ------------------------------------------------------------------------ */

struct difference {
	const char *where; /* "set exact4", "chain forward", a setting's name, "table" */
	/* extra, missing, changed, foreign, sysctl; for a packet: passes, refused, otherwise; for a
	 * chain: hook, policy; for the table: flags; for a set: shape */
	const char *what;
	/* what was found: a rule, an element, a value; "" when the other members say enough */
	const char *detail;
	const char *want; /* the expected value, NULL = not given */
	uint32_t line;	  /* policy line, 0 = none */
	bool ours;	  /* the difference is in our table, so it is mended */
};

struct differences {
	struct arena *arena; /* borrowed */
	struct difference *list;
	size_t n, room;
	bool table_gone; /* the whole table is missing */
	size_t ours;	 /* number of differences in our table (settings not counted) */
	size_t foreign, settings;
	uint64_t packets; /* number of test packets */
};

/* Reads everything back and compares. 0 (also if there are differences) or negative errno. */
int enforce_verify(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
/* As enforce_verify, for our table only, without settings. */
int enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
void enforce_labels_forget(struct enforce *f);
/* `ir`: the policy with which it was compared. */
json_t *differences_json(const struct differences *d, const struct ir *ir);

/* ---- enforce/effective.c --------------------------------------------------------------------- */

json_t *enforce_effective(struct enforce *f, struct err *e); /* NULL on failure */

/* ---- enforce/work.c -------------------------------------------------------------------------- */

/*
 * Long work is ended when nobody waits for it, and the messages that arrive meanwhile are kept.
 *
 * Begins work on a question. The work may then be interrupted; with `way` also by a person's order
 * about an isolation or a door. False: the work must not be begun.
 */
bool stop_begin(struct enforce *f, uint32_t id, bool way);
/* To be called for interrupted work before stop_end. True: the work made way for an order, so its
 * question `m` must not be answered now. It was queued again, behind the messages that came
 * meanwhile. `m` must have no texts and no descriptors. */
bool stop_made_way(struct enforce *f, const struct msg *m);
/* `left_off`: the work was interrupted. This is counted if the reason is that nobody waits for it
 * any more. */
void stop_end(struct enforce *f, bool left_off);
/* Whether the present work has to be interrupted. Always false outside of stop_begin and stop_end.
 * Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Whether messages were received meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct enforce *f);
/* As msg_serve, but handles the messages that were received during long work first, in their
 * order. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);
/* Between telling_begin and telling_end, the progress of a question is reported to an asker who
 * wanted reports: a few messages a second. Reporting never waits: an asker who does not read the
 * messages loses them. When enforce compares the rules by itself, nothing is reported. */
void telling_begin(struct enforce *f, uint32_t id, bool wanted);
void telling_end(struct enforce *f);
/* The work enters this stage; reported when the next message is due. */
void telling_stage(struct enforce *f, enum progress_stage stage);
/* `done` of `of` is done; reported when the next message is due. Cheap: long work calls
 * it often. */
void telling_count(struct enforce *f, size_t done, size_t of);
/* As telling_count, with the numbers of what f->net has read so far and will read. */
void telling_read(struct enforce *f);

/* ---- enforce/status.c ------------------------------------------------------------------------ */

json_t *enforce_status(struct enforce *f, struct err *e);
void enforce_unanswered(struct enforce *f); /* called in each look */

/* ---- enforce/sockets.c ----------------------------------------------------------------------- */

/*
 * Which kernel index each interface of the box has now, with notification of changes. Each cell's
 * key contains such indexes, so if an interface disappears and returns, its traffic is denied until
 * its elements are changed. Uses a NETLINK_ROUTE socket in the data namespace; never changes a
 * link.
 */
/* An owned non-blocking descriptor that becomes readable when a link comes, goes or is renamed;
 * negative errno. */
int links_open(struct err *e);
/* Discards the notifications that wait. */
void links_drain(int fd);
/* Writes the kernel index of each interface to `interfaces` of the generation; 0 = not in this
 * namespace. True when one differs from the earlier value. */
bool links_resolve(int fd, struct generation_held *g);
/* Whether each interface of the generation has a link now, into ret[ir->n_interfaces]. */
void links_up(int fd, const struct ir *ir, bool *ret);

/* ---- enforce/monitor.c ----------------------------------------------------------------------- */

int monitor_open_delay(void);	       /* an owned descriptor, or -1 */
void monitor_sleep(struct enforce *f); /* before poll() */
void monitor_woken(struct enforce *f); /* after poll(), when the monitor is readable */
/* Reads the reported changes without waiting, and turns forwarding off if our table may have been
 * changed. Long work calls it often. */
void monitor_glance(struct enforce *f);
/* Turns forwarding off. To be called when the table could not be read or is wrong; it was right
 * before `since_ns`. */
void monitor_shut(struct enforce *f, uint64_t since_ns);

/*
 * The record of a change of the rules by others. The journal gets one event for each difference,
 * with the author and the state before and after; the supervisor gets one line. Differences are
 * collected while they are found, and sent when it is known whether they could be mended.
 */
#define RECORD_EVENTS 8u /* events of one change; the last one tells how many more there were */

struct drift_record {
	struct event list[RECORD_EVENTS];
	unsigned n;
	size_t more;
};

/* Adds a difference. `before`: what the policy says; `after`: what was found; "" = nothing. */
void record_add(struct drift_record *r, const char *object, const char *before, const char *after);
void record_differences(struct drift_record *r, const struct differences *d);
/* As record_differences, for differences that were found when this role began. Leaves out elements,
 * which may differ because a device has another index. */
void record_unwatched(struct drift_record *r, const struct differences *d);
/*
 * Sends the events. `gap_us`: for how long the changed rules may have been in effect; `back_us`:
 * for how long nothing passed afterwards. `trouble`: why the rules could not be mended; "" = they
 * were. The author and the kinds of changes come from f->meddling.
 */
void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble);
/* Records that forwarding is on again, if a DRIFT_SHUT was recorded. */
void record_opened(struct enforce *f);

/* ---- enforce/drift.c ------------------------------------------------------------------------- */

void drift_settle(struct enforce *f);	/* handles the reported changes */
void drift_links(struct enforce *f);	/* an interface appeared or disappeared */
void drift_settings(struct enforce *f); /* to be called twice a second */
/* Compares everything although no change was reported. If f->clock_due is set, the reason is that
 * the clock was set. */
void drift_look(struct enforce *f);

#endif
