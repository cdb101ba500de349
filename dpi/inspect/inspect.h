/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector: everything a worker does with a packet between receiving it and putting an outcome
 * into the ring.
 *
 * decode -> flow -> stream gate -> recogniser, nDPI -> enforcer -> outcome. It runs without
 * privilege, allocates all its memory in inspector_new, and reaches the outside only through the
 * functions that its user passes in (outside.h). Time comes from base/clock.h.
 */
#ifndef SEKISHO_DPI_INSPECT_INSPECT_H
#define SEKISHO_DPI_INSPECT_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/event.h"
#include "appliance/wire/kept_counts.h"
#include "appliance/wire/once.h"
#include "appliance/wire/ring.h"
#include "dpi/decode.h"
#include "dpi/inspect/outside.h"
#include "dpi/protocol.h"
#include "dpi/share.h"

struct inspector;

/* Where the operations of a request were counted, so that repetitions can be counted as well. */
#define COUNT_AGAIN 4u
struct count_again {
	uint32_t epoch, n;
	uint16_t kinds[COUNT_AGAIN];
	uint32_t times[COUNT_AGAIN];
	uint32_t deeds; /* bit n: entry n of the session's deeds */
};

/* Whether the kernel may take over the session of the last packet, see offer.h. */
struct offer {
	enum {
		OFFER_NONE,
		/* the last request was answered: `of` describes request and answer, `lease` the
		 * session */
		OFFER_LEASE,
		/* the last request was answered, but no template describes it; templates of other
		 * requests may not hold any more. If lease.permit is not 0, `lease` has the state
		 * from which another worker could go on with the session */
		OFFER_NEVER,
	} is;
	struct once_lease lease; /* complete except for its place and its templates */
	struct once_template of;
	struct count_again again;
	/* which session between these ends; a template holds for no other */
	uint32_t life;
};

struct inspector_limits {
	struct outside outside;
	uint32_t flows;	      /* flow table slots */
	uint32_t pool_bytes;  /* shared stream pool: retained and waiting bytes */
	uint32_t table_bytes; /* largest command table in memory */
	/* bit n: this worker gets lanes of enum lane_kind n, among which scarce memory is divided;
	 * 0: any lane */
	uint32_t kinds;
	bool no_library;     /* nDPI is not used: protocols that only nDPI can name are not named */
	bool undivided;	     /* scarce memory is not divided among lanes */
	struct offer *offer; /* borrowed; NULL: sessions are not lent to the kernel */
	/* the packets come from a capture, so missing ones will never come (see midstream.h,
	 * search.h). Permits should observe */
	bool gaps_stay;
};

/* Allocates all memory that the worker will ever use, including that of nDPI. NULL when memory
 * is out. */
struct inspector *inspector_new(const struct inspector_limits *l);
void inspector_free(struct inspector *i);

/* Puts a new table image in force; the image is copied, and the table before it is dropped. False
 * when the image is malformed: the old table then stays in force. digest[32] is set to the digest
 * of the table in force. Live flows are judged by it from their next PDU on. */
bool inspector_table(struct inspector *i, struct bytes image, uint8_t digest[32]);
/*
 * Says which generation records name: `now` is the generation in force. `of_permits` has, for each
 * permit of the table that was just taken, in the table's order, the generation that it comes from
 * (u32 number, u64 digest each). A permit that is missing there belongs to `now`. Without this
 * call, records name no generation.
 */
void inspector_generations(struct inspector *i, struct event_generation now, struct bytes of_permits);

/*
 * The policy in force has ended this session. If the session is followed and the sequence numbers
 * of both ends are known, both ends are reset at once, through `queue` of the cut lane. Otherwise
 * they are reset when one of them sends a packet.
 */
void inspector_cut(struct inspector *i, const struct cut_session *s, uint16_t queue);

struct packet {
	uint16_t queue;
	uint32_t id;
	uint32_t mark; /* permit and lane as the kernel copied them */
	/* the mark also has the direction (MARK_REPLY), because connection tracking knows which end
	 * opened the session */
	bool directed;
	struct bytes ip; /* from the IP header on; borrowed until inspector_packet returns */
	bool truncated;	 /* the kernel gave fewer bytes than the packet has */
	/* how checksums are verified; for an offloaded frame and in a capture they may be wrong */
	enum checksum_rule checksums;
	bool has_passed; /* the kernel let it pass already: nobody waits for a decision */
	uint32_t frame;	 /* replay: number of the frame in the capture, from 1 */
	/* replay: number of the connection between these ends, from 1; 0 = the inspector counts */
	uint32_t connection;
};

/* Decides one packet, now or (out of order, at most 10 ms) later: outside.h's `decide` is called
 * exactly once per packet, but not for packets that have passed. */
void inspector_packet(struct inspector *i, const struct packet *p);
/* Deadlines: drops what waited too long, writes due counts. Call when the loop turns; returns ns
 * until the next call is due, UINT64_MAX = nothing waits. */
uint64_t inspector_tick(struct inspector *i);
/* End of a capture or of the worker: writes outstanding counts and, for replay, flows. */
void inspector_finish(struct inspector *i);

/* ---- effect of a change of policy on live sessions ---- */

struct session_ends {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
};

/* What happens to one session when it gets another permit. */
struct impact {
	bool known;		/* this inspector follows the session */
	enum protocol protocol; /* as recognised so far */
	bool partly;		/* the session was not followed from its beginning */
	/* the reason for which its next packet is refused; R_NONE when it is not refused */
	enum reason reason;
	/* number of requests that are not remembered one by one, and may be refused */
	uint64_t forgotten;
};

/* Reads and checks the table of the next generation, without putting it in force. False when it is
 * malformed or too large. *ret is valid until the next call of this function or
 * of inspector_table. */
bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret);
/*
 * Notes that the kernel forwards this session without a lane, so that no worker sees its packets
 * now. What the inspector remembers of the session, or of an earlier one on the same ports, must
 * not be used for later packets.
 */
void inspector_note_unseen(struct inspector *i, const struct session_ends *ends);
struct deed; /* deeds.h: a kind of operation that passed */
/*
 * Foretells what permit number `permit` of `t` would do to the session. `each` is called for every
 * kind of request of the session that passed and would now be refused, with the request and the
 * new judgement.
 */
void inspector_foretell(struct inspector *i, const struct command_table *t, const struct session_ends *ends,
			uint32_t permit, void (*each)(void *ctx, const struct deed *d, const struct pdu *refused),
			void *ctx, struct impact *ret);

/* ---- counts of accepted operations that outlive this process (count.h) ---- */

/* Before the first packet, when there is a table: takes over this borrowed memory with what a
 * former worker counted there, whatever its bytes are. Returns how many kinds of operations it did
 * not believe, which are lost. */
uint32_t inspector_keep_counts(struct inspector *i, struct kept_counts *memory);
/* Counts become valid when the verdicts of their packets are sent. The last packet was decided; the
 * verdicts of all packets that were decided are sent now; they were sent. */
void inspector_decided(struct inspector *i);
void inspector_sends(struct inspector *i);
void inspector_sent(struct inspector *i);

/* ---- sessions that the kernel goes on with (offer.h, lend.c) ---- */

/* Notes that these segments of a handshake have passed in the kernel. Called before any other
 * packet of the session. */
void inspector_catch_up(struct inspector *i, const struct once_handshake *h);

/* Whether the offer of the last packet is still valid after everything that this packet caused. */
bool inspector_offers(const struct inspector *i);
/* The session is still lent to the kernel, and had packets there: its flow is kept as if these
 * packets had come here. False: the inspector does not follow the session any more. */
bool inspector_lent(struct inspector *i, const struct once_lease *l);
/* Counts a request of this lent session, which was repeated `times` times in the kernel. */
void inspector_asked(struct inspector *i, const struct once_lease *l, const struct count_again *a, uint64_t times);
/* As inspector_asked, for a lease that no session goes on with. The bytes of *a may be anything. */
void inspector_left(struct inspector *i, const struct count_again *a, uint64_t times);
/* False: requests with this `a` are now counted as one sum only, so their sessions are better taken
 * back from the kernel. */
bool inspector_counts(const struct inspector *i, const struct count_again *a);
/*
 * Takes the session back. Everything that passed meanwhile counts as judged here. `last`: the
 * template of the last request; NULL when none passed. False: the session is not followed any more,
 * and its last request was not counted.
 */
bool inspector_take_back(struct inspector *i, const struct once_lease *l, const struct once_template *last);
/*
 * Before the first packet: goes on with a session that a former worker left, as if this worker had
 * lent the session and took it back. The bytes of *l and of the templates may be anything. `lent`:
 * the kernel had the session until now, so nothing else has passed. Otherwise packets came that no
 * worker saw, and the session is only resumed where such packets cannot have passed. False: the
 * session is not followed; if it still exists, it will be met half-way.
 */
bool inspector_resume(struct inspector *i, const struct once_lease *l, const struct once_template *last, bool lent);
/* To be called after inspector_resume: counts the requests of this template, which passed `times`
 * times and were not counted. */
void inspector_recount(struct inspector *i, const struct once_lease *l, const struct once_template *t, uint64_t times);

struct inspector_stats {
	uint64_t packets, accepted, confirmed, dropped, resets;
	uint64_t reasons[REASON_COUNT];
	uint32_t flows, flows_max;
	uint32_t pool_used, pool_bytes;
	struct {
		uint32_t flows, flows_part, pool, pool_part; /* pool in bytes */
	} shares[SHARES];
};

void inspector_stats(const struct inspector *i, struct inspector_stats *ret);

#endif
