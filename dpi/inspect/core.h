/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inspector's own files share; nobody else includes it.
 *
 *   inspect.c           life, table, entry of packets, clock work
 *   inspect/flow.c      flows: opening, their permit, ending
 *   inspect/refuse.c    the end of a flow by decision: resets, cuts, who gives way when there is no room
 *   inspect/tcp.c       TCP: stream gate, half-way sessions, closing
 *   inspect/midstream.c sessions met half-way, or with bytes that were missed
 *   inspect/wait.c      segments that wait for what comes before them
 *   inspect/again.c     resets that may have been lost
 *   inspect/datagram.c  UDP and ICMP
 *   inspect/name.c      is it what was promised?
 *   inspect/command.c   is the command allowed?
 *   inspect/search.c    a capture: where does the next PDU begin?
 *   inspect/repeat.c    may what passed pass again, cut like this?
 *   inspect/rejudge.c   is what was judged by another table still allowed?
 *   inspect/event.c     events within their budget, counts of accepted commands
 *   inspect/impact.c    what a change of policy will do to live sessions
 */
#ifndef SEKISHO_DPI_INSPECT_CORE_H
#define SEKISHO_DPI_INSPECT_CORE_H

#include "dpi/decode.h"
#include "dpi/flow.h"
#include "dpi/inspect/inspect.h"
#include "dpi/name.h"
#include "dpi/pool.h"
#include "dpi/stream.h"

#define WAIT_NS 10000000ull  /* no packet is held longer */
#define WAIT_FLOW_PACKETS 8u /* held per flow */
#define WAIT_FLOW_BYTES (16u * 1024u)
#define WAIT_PACKETS 1024u		 /* held in all */
#define WAIT_HOLDER_PART 4u		 /* one in so many of its share's places may be a holder's */
#define WAIT_CAPTURE_NS (3u * SECOND_NS) /* reading a capture: nobody will repeat what is dropped */
#define WAIT_CAPTURE_FLOW_PACKETS 64u
#define WAIT_CAPTURE_FLOW_BYTES (512u * 1024u)

#define BLIND_MAX 3u		      /* repetitions that cannot be compared, before the flow ends */
#define ASTRAY_MAX 3u		      /* segments in a row that acknowledge what was never seen, before it does */
#define UNJUDGED_MAX 64u	      /* segments with data that pass before a pick-up, ... */
#define UNJUDGED_NS (10u * SECOND_NS) /* ... and for how long */
#define GAVE_UP_MAX 3u		      /* so often dropped ahead of a gap, and the gap is not repeated: it went by */
#define RESET_PAUSE_NS 20000000ull    /* between two resets of a refused flow */
#define COUNTS_NS (60u * SECOND_NS)   /* between two records of accepted commands of a flow */
#define COUNTED_MAX 8u		      /* kinds of commands told apart per flow; the next ones are summed up */
#define TICK_FLOWS 64u		      /* flows that one tick ends or writes counts of, at most */
#define LATE_NS 100000000u /* a rest of a PDU that comes later than this: some receivers no longer wait for it */
#define PACKET_MAX 65575u  /* IPv6 header and largest payload length */

/* A packet that waits for the bytes before it. */
struct waiting {
	struct packet p;    /* `ip` is not valid; the bytes are in `bytes` */
	struct chain bytes; /* the packet from its IP header on */
	uint32_t flow;
	uint32_t seq, end; /* first number of its payload, first after it */
	uint32_t ack;	   /* what it acknowledges, when `acks`: a capture is read in the order of the two ends */
	bool acks;
	bool ahead;	     /* bytes before it were missing */
	uint32_t payload_at; /* offset of the payload in `bytes` */
	enum direction dir;
	uint64_t deadline_ns;
	uint32_t holder;       /* whose place it is */
	uint32_t next;	       /* in its flow's list, or in the free list */
	uint32_t older, newer; /* by deadline */
};

#define DEEDS_MAX 12u /* kinds of requests remembered per flow over its whole life */

/* Accepted commands of one kind since the last record. */
struct counted {
	uint8_t unit, function, space;
	uint32_t address, quantity;
	uint32_t permit; /* by which it was judged: the flow may have another by now */
	uint32_t conduit, line;
	struct place row;
	struct event_generation generation; /* in which these numbers mean something */
	uint64_t count;
};

/* What only flows with an enforcer need. */
struct command_state {
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	const struct enforcer *enforcer;
	uint64_t segment_ns, before_ns;		 /* when the client's last new bytes came, and those before them */
	struct counted counted[COUNTED_MAX + 1]; /* the last one sums up what found no place */
	uint32_t n_counted;
	struct deed deeds[DEEDS_MAX]; /* what the client has asked for and got since the flow began */
	uint32_t n_deeds;
	uint64_t more_deeds; /* that found no place */
	uint32_t flow;
	uint32_t older, newer; /* by due time; SLOT_NONE */
	bool listed;	       /* stands in that list: something is to be written */
	uint64_t due_ns;
};

#define AGAIN_PLACES 4096u
#define AGAIN_NS 300000000ull /* between two of the same */
#define AGAIN_TIMES 12u	      /* with one in three lost, one end in 1.5 million hears none */

/* A reset that is said again. */
struct again {
	struct reset_record r;
	uint64_t due_ns;
	uint32_t flow, n; /* nothing is said once another connection has taken the flow's place */
	uint8_t left;
};

/* A token bucket for records. */
struct budget {
	uint64_t filled_ns;
	uint64_t tokens_milli;
	uint64_t rate; /* per second */
	uint64_t burst;
};

struct inspector {
	struct inspector_limits limits;
	struct flow_table flows;
	struct pool pool;
	struct namer *namer;
	void *table_memory[2]; /* owned; the table in force and room for the next */
	unsigned table_now;
	uint32_t table_turn; /* rises with every table */
	struct command_table table;
	struct event_generation *generations[2]; /* owned; beside the tables: of each permit, what it comes from */
	struct event_generation generation;	 /* the newest that this worker was told of */
	struct waiting *waiting;		 /* owned; WAIT_PACKETS */
	uint32_t wait_free, wait_oldest, wait_newest;
	uint32_t waiting_in[SHARES], waiting_part[SHARES];
	struct command_state *commands; /* owned; one per flow, touched as used */
	uint32_t *command_free;		/* owned; stack */
	uint32_t n_command_free, command_fresh;
	struct again again[AGAIN_PLACES]; /* a ring, in the order in which they are due */
	uint32_t again_first, n_again;
	uint32_t counts_oldest, counts_newest;
	struct counted held[COUNTED_MAX + 1]; /* of the segment being judged: counted when it passes */
	uint32_t n_held;
	uint8_t *packet_room;  /* owned; PACKET_MAX: a waiting packet made contiguous */
	uint8_t *segment_room; /* owned; PACKET_MAX and RUNS_BYTES: new bytes with what passed ahead of them */
	uint8_t *pdu_room;     /* owned; PACKET_MAX: a PDU made contiguous */
	uint64_t now_ns;
	struct budget refused_budget[SHARES], passed_budget[SHARES];
	uint64_t suppressed[SHARES][REASON_COUNT];
	uint64_t suppressed_all;
	uint64_t suppressed_flush_ns;
	bool releasing;	     /* inside wait_release */
	bool forgot[SHARES]; /* a full share made this worker forget a TCP session that its server may still have */
	struct inspector_stats stats;
};

/* One packet on its way through. */
struct crossing {
	struct inspector *i;
	const struct packet *p;
	struct decoded d;
	uint32_t lane;
	const struct command_permit *permit; /* NULL only in the cut lane */
	uint32_t fi;			     /* FLOW_NONE before the flow is known */
	struct flow *f;
	enum direction dir;
	bool crowded; /* more requests are open than can be remembered, and waiting would not help */
};

static inline bool crossing_is_observed(const struct crossing *x)
{
	return x->permit != NULL && x->permit->observe;
}

/* Nothing is stopped: what cannot be followed is skipped instead of dropped. */
static inline bool crossing_is_lenient(const struct crossing *x)
{
	return crossing_is_observed(x) || x->i->limits.as_captured;
}

static inline bool permit_commands_lane(const struct command_permit *permit)
{
	struct lane lane;

	return lane_of(permit->lane, &lane) && lane.kind == LANE_COMMANDS;
}

static inline bool crossing_has_commands_lane(const struct crossing *x)
{
	return x->permit != NULL && permit_commands_lane(x->permit);
}

static inline uint32_t crossing_share(const struct crossing *x)
{
	return share_of(x->lane);
}

/* ---- inspect.c: every packet ends in exactly one of these ---- */

void crossing_accept(struct crossing *x, enum reason r); /* as confirmed when its flow's lane may let go of it */
void crossing_drop(struct crossing *x, enum reason r);
/* A packet that is refused for itself, its flow goes on: dropped, or recorded and passed under observe. */
void crossing_refuse(struct crossing *x, enum reason r);

/* ---- inspect/flow.c ---- */

/* Finds or makes room for a new flow of this packet; false when its share is full of live ones. */
bool crossing_try_flow(struct crossing *x, enum direction dir);
/* As above; false means that the packet was decided. */
bool crossing_add_flow(struct crossing *x, enum direction dir);
/* The same ports, a new connection: everything starts again but the tuple; n rises. */
void crossing_restart_flow(struct crossing *x, enum direction dir);
/* Who is the client: as tracking says; in a capture judged by the permit's server ports, when nobody saw the session open. */
enum direction crossing_guess_dir(const struct crossing *x);
/* Whether the ports leave no doubt of it. */
bool crossing_tells_ends(const struct crossing *x);
/* What becomes of a flow that comes under another permit. */
enum relabel {
	RELABEL_STAYS,	  /* its next bytes are judged by the new permit */
	RELABEL_ENDS,	  /* what it speaks is not promised any more */
	RELABEL_CONFIRMS, /* from now on only its name counts, and that is known */
	RELABEL_HALF_WAY, /* nobody followed what the new permit looks into */
};
enum relabel relabel_decide(const struct flow *f, const struct command_table *t, const struct command_permit *permit);
/* The flow's permit and table as of this packet. False when that decided the packet. */
bool crossing_relabel_flow(struct crossing *x);
/* Which grant speaks for protocol p; NULL when none does. Shadow grants never do. */
const struct command_grant *table_find_grant(const struct command_table *t, const struct command_permit *permit,
					     enum protocol p);
const struct command_grant *permit_find_grant(const struct inspector *i, const struct command_permit *permit,
					      enum protocol p);
/* Whether a grant lets any protocol of this transport pass. */
bool permit_promises_any(const struct inspector *i, const struct command_permit *permit, uint8_t l4proto);
/* Gives back what the flow owns; its numbers stay. */
void flow_release(struct inspector *i, uint32_t fi);
/* Writes counts, tells the end once, gives back, moves to the ended ones. */
void flow_end(struct inspector *i, uint32_t fi);
void flow_info_of(const struct flow *f, struct flow_info *ret);
void crossing_touch_flow(struct crossing *x);

/* ---- inspect/refuse.c ---- */

/* The flow ends here by decision: refused for good, both ends reset, packet dropped. Observed flows are let go instead.
 * `speaks`: what it turned out to be, or PROTO_NONE. */
void crossing_refuse_flow(struct crossing *x, enum reason r, enum protocol speaks);
/* As above, whatever the mode says: the cut lane. */
void crossing_cut_flow(struct crossing *x, enum reason r);
/* The same without a packet: only where both numbers are known. */
void crossing_cut_idle(struct crossing *x, enum reason r);
/* Notes the first refusal without ending anything (observe, captures). */
void crossing_note_refusal(struct crossing *x, enum reason r, enum protocol speaks);
/* Resets both ends: by what the flow knows, or by this packet's own numbers. */
void crossing_reset(struct crossing *x, bool by_packet);
/* The server's answer to a SYN was dropped: nothing comes of it. */
void crossing_reset_server(struct crossing *x);
/* What is promised was found: only the name counts from here on. */
void crossing_confirm_flow(struct crossing *x, enum protocol p);
/*
 * The pool has no room for `bytes` more of this flow: whoever keeps most of its share gives way, if that is more than this
 * flow's holder would have then. One session each time; false when nobody gives way.
 */
bool crossing_make_room(struct crossing *x, size_t bytes);

/* ---- inspect/tcp.c, inspect/datagram.c ---- */

void crossing_judge_tcp(struct crossing *x);
void crossing_follow(struct crossing *x);      /* its flow is known and the packet may have waited */
void crossing_tell_closed(struct crossing *x); /* tells the end of a flow that both its ends have closed */
void crossing_judge_datagram(struct crossing *x);

/* ---- inspect/midstream.c ---- */

void crossing_meet_half_way(struct crossing *x); /* a segment of a session whose place is not known */
/* For sessions that outlive a worker only: true when this one is none of them, and was refused. */
bool crossing_refuse_pick_up(struct crossing *x);
/* Nothing whole yet: false when the packet was refused for that, because nothing may pass unjudged or it takes too long. */
bool crossing_await_boundary(struct crossing *x);
void crossing_await_pick_up(struct crossing *x); /* bytes are missing for good: wait for the next pick-up */
/* Nothing may be stopped and this cannot be kept: only numbers from here on. */
void crossing_lose_track(struct crossing *x);
void crossing_skip_gap(struct crossing *x); /* bytes before it are missing for good: go on behind them */
/* The bytes of this direction up to `to` are missing for good. */
void flow_skip(struct inspector *i, struct flow *f, enum direction dir, uint32_t to);
/* Acknowledges what did not go by here. Numbers far ahead are nobody's. */
bool crossing_acknowledges_unseen(const struct crossing *x);
/* Both ends agree on bytes that never went by here, again and again: what its conduits say of a session met half-way. */
void crossing_give_up_place(struct crossing *x);
/* Whether packets of its lane may go by while this worker lives: a full queue lets them. */
bool crossing_may_miss(const struct crossing *x);
/* What this acknowledges, or what is before it, went by unseen: true when the session goes on there and it is decided. */
bool crossing_go_on_behind(struct crossing *x);
bool crossing_go_on_at(struct crossing *x);
void crossing_note_given_up(struct crossing *x); /* dropped, because what is before it did not come */

/* ---- inspect/wait.c ---- */

/* Ahead of a gap: passes it with a copy kept, or holds it. */
void crossing_take_ahead(struct crossing *x);

void wait_init(struct inspector *i);
void wait_move(struct inspector *i, uint32_t fi); /* what waits belongs to the flow's holder of now */
void crossing_hold(struct crossing *x);		  /* holds it, or drops it when there is no room */
/* What is in order now. `frame` of `dir` filled the gap; 0 when none did. */
void wait_release(struct inspector *i, uint32_t fi, enum direction dir, uint32_t frame);
void wait_drop(struct inspector *i, uint32_t fi, enum reason r); /* all of a flow */
void wait_expire(struct inspector *i);
void wait_give_up(struct inspector *i, uint32_t fi); /* end of a capture: what waits is read across its gaps */
uint64_t wait_next_due(const struct inspector *i);

/* ---- inspect/again.c ---- */

void again_note(struct crossing *x, const struct reset_record *r); /* of a flow that was refused */
void again_send_due(struct inspector *i);
uint64_t again_next_due(const struct inspector *i);

/* ---- inspect/name.c ---- */

enum naming_step { NAMING_PASS, NAMING_CONFIRM, NAMING_ANY, NAMING_COMMANDS, NAMING_REFUSE };

struct naming {
	enum naming_step step;
	enum reason reason;
	enum protocol protocol; /* what it is, as far as known */
};

struct naming crossing_name_stream(struct crossing *x, struct bytes fresh);
/* Whether the new permit promises what the bytes of an undecided flow may become. */
bool crossing_name_again(struct crossing *x);
/* Asks nDPI about this packet; PROTO_NONE when it does not know, has no state left or was asked often enough. */
enum protocol crossing_ask_library(struct crossing *x);
/* The one protocol that is enforced on this permit when it promises nothing else; PROTO_NONE otherwise. */
enum protocol permit_only_commands(const struct crossing *x);

/* ---- inspect/command.c ---- */

struct judged {
	bool denied; /* a PDU is not allowed, or the bytes are no PDU */
	bool opaque; /* the bytes cannot be cut into PDUs any further */
	bool later;  /* a PDU may pass when others have been answered */
	enum reason reason;
	size_t unjudged; /* bytes at the end that are no whole PDU yet */
	enum protocol speaks;
};

/* Gives the flow an enforcer; false when there is no state left. */
bool crossing_add_enforcer(struct crossing *x, enum protocol p);
struct judged crossing_judge_commands(struct crossing *x, struct bytes fresh);
/* Whether these bytes are exactly whole PDUs of this direction. */
bool commands_whole(const struct enforcer *e, enum direction dir, struct bytes b);
/*
 * Whether they start with a whole PDU, and go on with whole ones and perhaps the beginning of another. `turned`: the other end
 * spoke before, so that they most likely start with a PDU; then what may be its beginning will do.
 */
bool commands_begin(const struct enforcer *e, enum direction dir, struct bytes b, bool turned);
/* Bytes of the flow went by unseen, or will never be seen. `unread`: client's bytes that were seen and not understood. */
void commands_note_missed(const struct flow *f, bool unread);
void command_state_free(struct inspector *i, struct command_state *c);

/* Counts a PDU that is allowed and records one that is not. */
void commands_tell(struct crossing *x, const struct pdu *u, struct judged *j);

/* The new bytes pass, `unjudged` of them being kept as the beginning of a PDU. */
void crossing_pass_bytes(struct crossing *x, const struct stream_result *s, size_t unjudged, enum reason r);

/* ---- inspect/search.c ---- */

/* Bytes of this direction were missed. True: `s` begins with a PDU now, or ends one that was kept. False: the packet is decided. */
bool crossing_find_boundary(struct crossing *x, struct stream_result *s, bool turned);
/* Counts what was kept and is not a PDU's; before the flow gives its bytes back. */
void search_end(struct inspector *i, struct flow *f);

/* ---- inspect/repeat.c ---- */

/* Whether what passed before may pass as this segment repeats it. False: the packet is decided and the flow at its end. */
bool crossing_judge_repeat(struct crossing *x);

/* ---- inspect/rejudge.c ---- */

/* Gives back the PDUs that their receiver has acknowledged whole. */
void commands_give_back(struct inspector *i, struct flow *f, enum direction dir);
/* Whether what its receiver has not acknowledged is allowed by x's permit and the table; tells nobody. *refused: the PDU
 * that is not, its `allowed` true when it was none. */
bool crossing_allows_unacknowledged(struct crossing *x, struct pdu *refused);
/*
 * Of what passed and its receiver has not acknowledged, all is allowed by the permit and table that hold now. False when not:
 * the packet is decided then and the flow at its end.
 */
bool crossing_judge_again(struct crossing *x);
/* Exactly whole PDUs, each of them allowed by itself. */
bool commands_allow_each(const struct crossing *x, struct bytes b);

/* ---- inspect/event.c ---- */

void budget_init(struct inspector *i);
void budget_divide(struct inspector *i, uint32_t used); /* as flow_divide */
void event_tell_flow(struct crossing *x, enum event_verdict v, enum reason r, enum protocol p);
void event_tell_pdu(struct crossing *x, const struct pdu *u, enum event_verdict v);
void event_tell_drop(struct crossing *x, enum event_verdict v, enum reason r);
void events_flush(struct inspector *i, bool all);
uint64_t events_next_due(const struct inspector *i);
void counts_hold(struct crossing *x, const struct pdu *u);
void counts_keep(struct inspector *i, struct command_state *c, bool passed); /* what was held, or forget it */
void counts_write(struct inspector *i, struct command_state *c);
void counts_write_due(struct inspector *i);
uint64_t counts_next_due(const struct inspector *i);

/* ---- inspect/impact.c ---- */

/* A request that passes, or would have passed but for its flow's end. */
void deed_remember(struct command_state *c, struct bytes pdu);

#endif
