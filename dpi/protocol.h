/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of protocol enforcers: one folder a protocol, with its row of appliance/wire/protocols.def.
 *
 * An enforcer is pure: state, direction, view and table in; decision and new state out. It never sees packets,
 * only the bytes of a direction in order, cut into its own PDUs by `frame`. The stream gate calls `frame` at the head of
 * what has not been judged, waits while it says "need more" (at most `pdu_max` bytes are kept), and has each whole PDU judged once,
 * before its last byte may pass: judge.h asks the enforcer what it is, and the evaluator whether it is allowed.
 */
#ifndef SEKISHO_DPI_PROTOCOL_H
#define SEKISHO_DPI_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/event.h"
#include "appliance/wire/reason.h"

enum direction { DIR_C2S = 0, DIR_S2C = 1 };

enum frame_result {
	FRAME_WHOLE,	 /* *ret_len bytes make one PDU */
	FRAME_NEED_MORE, /* consistent so far; fewer bytes than one PDU */
	FRAME_BAD,	 /* cannot be this protocol, or lengths lie: the flow ends */
};

struct bond;

struct operation; /* appliance/wire/operation.h */

/* What a PDU is and what was decided: the source of events, counters and replay lines. */
struct pdu {
	enum direction dir;
	uint64_t offset;	      /* of its first byte in this direction's stream */
	uint32_t length;	      /* bytes */
	uint32_t targets[TARGET_MAX]; /* whom it is for */
	uint32_t function;	      /* function code without the exception bit */
	bool exception;		      /* response that reports an error */
	uint8_t space;		      /* or 255 when the function has no address */
	uint64_t address;	      /* first address, from 0 */
	uint32_t quantity;	      /* how many addresses; 0 when the function has none */
	bool allowed;
	enum reason reason;
	uint32_t conduit;   /* that allowed it, or the first that might have; EVENT_NO_CONDUIT */
	uint32_t line;	    /* policy line of that conduit */
	struct place row;   /* where the row stands that allowed it */
	struct limit limit; /* refused: which number was outside of what */
	bool reading; /* said of bytes that are told besides as what they are: what some receiver may make of them; or */
	bool shadow;  /* ... what the rows of a shadow say, which stop nothing */
	bool early; /* `segment` refuses the beginning of a PDU for what will be said of all of it, too, where a refusal ends nothing */
	const struct operation
		*operations; /* of a request all that it asks for, borrowed until outside_pdu returns; else NULL */
	uint32_t n_operations;
	struct bond *bond; /* where `answered` says what it opens or closes; NULL: nobody asks */
};

struct ruling; /* appliance/wire/evaluate.h */

#define OPERATIONS_MAX 255u /* of one PDU; one with more makes no sense to an enforcer */

/*
 * Flows of one pair of hosts that belong together: one opens what another uses, as CIP data over UDP belong to a connection that
 * was opened over TCP. What a PDU says of that; most say nothing. See dpi/inspect/companion.h.
 */
enum bond_kind {
	BOND_NONE,
	BOND_ASKS, /* a request: if it is allowed and answered, `key` is open, for what the request asked for */
	BOND_OPENS, /* an answer: `key` is open; who sends in a direction names id[direction]; ends after `silent_ms` without use */
	BOND_CLOSES, /* either: `key` is not open any more */
	BOND_USES, /* neither: bytes[0] of data for what was opened as id[0]; as good as the request that opened it. Its operation is
		      * how records name it */
};

struct bond {
	uint8_t kind;  /* enum bond_kind */
	bool stays;    /* the flow that opened it may end, and it goes on while it is used */
	bool sends[2]; /* anything goes in this direction at all */
	uint32_t id[2];
	uint32_t bytes[2]; /* in a datagram at most: what was asked for says how much the other end is told */
	uint64_t key;	   /* unique among what this pair of hosts has open in this protocol */
	uint64_t silent_ms;
};

/* A PDU taken apart. */
struct parsed {
	/*
	 * A request, whichever end sends it; else an answer, of which nothing else is said. Rows speak of what the client asks the
	 * server for: what the server's side asks for is refused.
	 */
	bool asks;
	enum reason
		wrong; /* R_ALLOWED, or what is wrong with it: its operations then say at most whom and what it is about */
	uint32_t n;
	struct operation
		*operations; /* room for OPERATIONS_MAX, lent by whoever asks; values are borrowed from the PDU */
	uint8_t *
		joined; /* room for ENFORCER_PDU_MAX bytes, lent likewise: what comes in pieces of a lower layer is put together in it */
	struct bytes answer; /* what `answered` gets in the place of the PDU, if there is any: as it was put together */
	uint64_t kept[8];    /* the enforcer's own, from `parse` to `asked` */
	struct bond bond;    /* of a request or a datagram; of an answer, what `answered` says */
};

#define ENFORCER_STATE_MAX 2048 /* bytes of state inline in a flow */
/*
 * Bytes of the largest PDU that any enforcer takes. What is not whole yet lies in the pool, at most this much of it for a direction, and
 * is copied once for every segment that brings some more: so larger ones than a protocol's devices send are refused.
 */
#define ENFORCER_PDU_MAX 16384

#define SPELLED_MAX 256u /* bytes of a name, NUL included */

struct enforcer {
	enum protocol protocol;
	size_t pdu_max; /* largest whole PDU in bytes, at most ENFORCER_PDU_MAX; so much of one may be kept until the rest comes */
	size_t state_size; /* at most ENFORCER_STATE_MAX; starts zeroed */
	/* Whole PDUs that one datagram may hold; 0: it is not spoken in datagrams. A datagram is judged whole, and alone. */
	uint32_t datagrams;
	/* The state was zeroed, nothing of the flow is known yet but how it is spoken and at which port of its server. May be NULL. */
	void (*begin)(void *state, bool datagrams, uint16_t port);
	/* How much of it means something now: what lies behind is written before it is read. */
	size_t (*state_used)(const void *state);
	/*
	 * Never reads beyond `head`; never asks for more than pdu_max. Where a PDU ends may depend on what both ends agreed on before;
	 * `state` is zeroed where nothing of the session is known: at its first bytes, and where it is met half-way.
	 */
	enum frame_result (*frame)(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
	enum reason malformed; /* what does not fit together is refused for this */
	enum reason pending;   /* more requests are open than can be remembered: this one waits for its turn */
	/*
	 * Fills *ret, which is empty but for its rooms. What a PDU means may depend on what was agreed before: on which route a
	 * connection was opened, say. The state is only read.
	 */
	void (*parse)(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret);
	/*
	 * A request that was ruled on, of the end that ret->dir names: what its answer must fit is remembered, refused or not. *ret is filled but for `allowed` and who
	 * allowed it; the enforcer may refuse what is allowed, by another `reason`.
	 */
	void (*asked)(void *state, const struct parsed *p, const struct ruling *r, const struct command_table *table,
		      struct pdu *ret);
	/* An answer: fills *ret, in which nobody is named yet and nothing allowed. */
	void (*answered)(void *state, struct bytes pdu, const struct command_table *table,
			 const struct command_permit *permit, struct pdu *ret);
	/*
	 * New bytes of the client's, of a segment or of a datagram, before anything else is asked: false where a receiver that frames the
	 * protocol in another way would find a forbidden request, or where they are such a request and nothing of this protocol as it is
	 * enforced. *ret (zeroed but for dir, offset and length) then says which; its `reading` tells the first from the second. `begins`:
	 * with a PDU. May be NULL.
	 */
	bool (*framed_else)(void *state, bool begins, struct bytes fresh, const struct command_table *table,
			    const struct command_permit *permit, struct pdu *ret);
	/*
	 * A segment of the client's with new bytes, before any of it is judged: `b` begins with a PDU, `offset` being where that lies
	 * in the stream, and `carried` bytes of it came in earlier segments; `late`: long before this one. False refuses it, for what a receiver may make of how
	 * it is cut; *ret (zeroed but for dir, offset and length) then says why. May be NULL.
	 */
	bool (*segment)(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			const struct command_table *table, const struct command_permit *permit, struct pdu *ret);
	/*
	 * The same of bytes that passed before and go once more: a segment of `length` bytes, `carried` bytes behind the beginning of
	 * `b`, which is a PDU's and goes on to the last byte that passed. May be NULL.
	 */
	bool (*repeat)(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		       const struct command_table *table, const struct command_permit *permit, struct pdu *ret);
	/*
	 * As if all that was asked had been answered: what a segment would meet by itself. May be NULL where that is a state of which nothing is known.
	 */
	void (*all_answered)(void *state);
	/*
	 * Requests that have waited since the call before the last, or, where room has to be made `now`, all of them give up their places
	 * to new ones, oldest first: their answers were lost. An answer that comes all the same is still one. May be NULL.
	 */
	void (*age)(void *state, bool now);
	/*
	 * Bytes went by unseen, before a pick-up or where a capture has a gap: the state is kept but is not all there was. A PDU that
	 * is judged again is judged by a copy of the state after this call: that it was said before is no reason against it.
	 * `unread`: requests are among them that nobody could read, so that an answer to one must not pass for an answer to another.
	 */
	void (*missed)(void *state, bool unread);
	/* Whether such a PDU exists: in a capture that lacks bytes, the place of the next one has to be concluded. May be NULL. */
	bool (*likely)(const void *state, enum direction dir, struct bytes pdu);
	/*
	 * Of a request that is refused, and passes since nothing is stopped: whether some servers find its end where it is not, and read what
	 * follows from another place than where the client writes. NULL: all find the same.
	 */
	bool (*misread)(const struct parsed *p, const struct pdu *u);
	/*
	 * The name that an operation's `spelling` is, as the client writes it. Nobody asks for it while packets wait. False: it is none. NULL:
	 * addresses of this protocol are numbers.
	 */
	bool (*spell)(struct bytes spelling, char out[SPELLED_MAX]);
};

/* modbus_enforcer and so on. */
#define ENFORCED(id, name, ...) extern const struct enforcer name##_enforcer;
#include "appliance/wire/protocols.def"

const struct enforcer *enforcer_of(enum protocol p); /* NULL when the protocol has none */

/* ---- recognisers: the first bytes of a direction ------------------------------------------------------------ */

/*
 * What the first bytes of a direction say, whatever is cut where: an answer other than RECOGNISE_MORE stays the same when more bytes
 * come (up to RECOGNISE_MAX, after which more of them are not asked for).
 */
enum recognition {
	RECOGNISED,	      /* these bytes are this protocol */
	RECOGNISE_HALF,	      /* they are of its form, as others' may be: the other end has to be of it, too */
	RECOGNISE_IF_GREETED, /* the same of a client that only answers: its server must have spoken first */
	RECOGNISE_MORE,	      /* consistent so far, too few bytes */
	RECOGNISE_NOT,	      /* not this protocol */
};

#define RECOGNISE_MAX 64

/* `head`: the bytes of this direction of a TCP session from its start. Protocols without a recogniser answer RECOGNISE_NOT. */
enum recognition recognise(enum protocol p, enum direction dir, struct bytes head);
/* Whether a whole datagram is of this protocol's form. False for those that have none of their own. */
bool recognise_datagram(enum protocol p, enum direction dir, struct bytes payload);

enum head_step {
	HEAD_GOES_ON,	/* more of it is to come */
	HEAD_WHOLE,	/* it is over, or the protocol has none */
	HEAD_AMBIGUOUS, /* holds what heads never do, so that servers differ about what it says; it stays so */
};

#define HEAD_MAX 65536u /* no server takes more */

/* The header of a direction's first message, all 0 at its beginning. */
struct head {
	uint32_t n;  /* bytes so far */
	uint32_t at; /* how much stands of what is looked for */
	uint8_t last;
	bool on_line, lines, whole;
};

/*
 * Reads on in the first header of a direction that speaks `p`, where what its first bytes say is not enough. A client's of HTTP: the first
 * line ends with a version; a NUL, a line feed without a carriage return or the other way round, and more than HEAD_MAX bytes are
 * ambiguous; an empty line ends it. A server's of SSH: lines of text, until one is its version.
 */
enum head_step recognise_head(enum protocol p, enum direction dir, struct head *h, struct bytes more);
/* Our own recogniser's answer to "what is it?", PROTO_NONE when none matches; for events ("speaks ssh"). */
enum protocol recognise_any(enum direction dir, struct bytes head);

#endif
