/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of protocol enforcers. Each protocol has a folder, and a row in
 * appliance/wire/protocols.def.
 *
 * An enforcer is pure: from state, direction, bytes and table it computes a decision and a new
 * state. It never sees packets, only the bytes of a direction in order, which its function `frame`
 * cuts into PDUs. `frame` is called with the bytes that have not been judged yet. While it answers
 * FRAME_NEED_MORE, bytes are kept (at most `pdu_max`). Each whole PDU is judged once, before its
 * last byte may pass: judge.h asks the enforcer for the meaning of the PDU, and the evaluator
 * whether that is allowed.
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
#include "dpi/bond.h"

enum direction { DIR_C2S = 0, DIR_S2C = 1 };

enum frame_result {
	FRAME_WHOLE,	 /* *ret_len bytes make one PDU */
	FRAME_NEED_MORE, /* consistent so far; fewer bytes than one PDU */
	/* not this protocol, or its lengths contradict each other: the flow ends */
	FRAME_BAD,
	FRAME_LONG, /* the same, because it is longer than the enforcer accepts (`too_long`) */
};

/* What the bytes of a datagram say of themselves, without their flow. */
enum utterance { UTTERS_NOTHING, UTTERS_REQUEST, UTTERS_ANSWER };

struct once_template; /* appliance/wire/once.h */

struct operation; /* appliance/wire/operation.h */

/* A PDU and the decision about it, as events, counters and replay lines show it. */
struct pdu {
	enum direction dir;
	uint64_t offset;	      /* offset of its first byte in this direction's stream */
	uint32_t length;	      /* bytes */
	uint32_t targets[TARGET_MAX]; /* the target: unit, station and so on */
	uint32_t function;	      /* function code without the exception bit */
	bool exception;		      /* response that reports an error */
	uint8_t space;		      /* address space; 255 when the function has no address */
	uint64_t address;	      /* first address, from 0 */
	uint32_t quantity;	      /* how many addresses; 0 when the function has none */
	bool allowed;
	enum reason reason;
	/* the conduit that allowed the PDU; for a refused PDU, the first that could have allowed
	 * it; EVENT_NO_CONDUIT: none */
	uint32_t conduit;
	uint32_t line;	    /* policy line of that conduit */
	struct place row;   /* file and line of the row that allowed the PDU */
	struct limit limit; /* for a refused PDU: the number that was outside its limits */
	/* a second report on the same bytes: how some receivers may read them */
	bool reading;
	/* a second report on the PDU: the judgement by the rows of a shadow, which stop nothing */
	bool shadow;
	/* `segment` refused the beginning of the PDU. Where refusals do not end the flow, the whole
	 * PDU will be refused again for the same reason */
	bool early;
	/* for a request, all its operations, borrowed until outside_pdu returns; else NULL */
	const struct operation *operations;
	uint32_t n_operations;
	/* where `answered` writes what the answer opens or closes; NULL: the caller does not
	 * need it */
	struct bond *bond;
};

/* appliance/wire/evaluate.h */
struct allowance;
struct ruling;

#define OPERATIONS_MAX 255u /* operations of one PDU; a PDU with more is malformed */

/* A parsed PDU. */
struct parsed {
	/*
	 * True for a request, whichever end sends it. For an answer, no other field is set. Rows
	 * allow requests of the client only; requests of the server are refused.
	 */
	bool asks;
	/* R_ALLOWED, or what is wrong with the PDU. The operations of a wrong PDU have at most a
	 * target, a code and addresses */
	enum reason wrong;
	uint32_t n;
	/* room for OPERATIONS_MAX, lent by the caller; values are borrowed from the PDU */
	struct operation *operations;
	uint8_t *
		/* room for ENFORCER_PDU_MAX bytes, lent by the caller, for a message that a lower
		 * layer has fragmented */
		joined;
	/* the reassembled message, which `answered` gets instead of the PDU; empty when there
	 * is none */
	struct bytes answer;
	uint64_t kept[8]; /* private data of the enforcer, from `parse` to `asked` */
	/* the bond of a request or a datagram; for an answer, `answered` sets it */
	struct bond bond;
};

#define ENFORCER_STATE_MAX 2048 /* bytes of the largest state of an enforcer */
/*
 * Bytes of the largest PDU that any enforcer accepts. An incomplete PDU is kept in the pool, and
 * copied again for every segment that adds to it. So each enforcer refuses PDUs that are larger
 * than those of its devices.
 */
#define ENFORCER_PDU_MAX 131072u

#define SPELLED_MAX 256u /* bytes of a name, NUL included */

/* Where a state has the requests that wait for their answers, see pending.h. */
struct pending_place {
	/* offsets in the state: of struct pending, and of the first entry */
	uint16_t list, entries;
	uint16_t size; /* of an entry */
	/* the largest number of entries; 0: the enforcer has no such list */
	uint16_t max;
};

struct enforcer {
	enum protocol protocol;
	/* bytes of the largest whole PDU, at most ENFORCER_PDU_MAX; as many may be kept while a PDU
	 * is incomplete */
	size_t pdu_max;
	size_t state_size; /* at most ENFORCER_STATE_MAX; starts zeroed */
	/* How many whole PDUs one datagram may have; 0: the protocol is not used over UDP. A
	 * datagram is judged as a whole, independently of others. */
	uint32_t datagrams;
	/* What a datagram is, whichever end sends it. NULL: requests and answers look alike. */
	enum utterance (*says)(struct bytes datagram);
	/* Initialises a zeroed state. `datagrams`: the flow is UDP; `port`: the server's port. May
	 * be NULL. */
	void (*begin)(void *state, bool datagrams, uint16_t port);
	struct pending_place open; /* the list of requests that wait for their answers */
	/* How many bytes of the state are in use. The bytes after them are written before they
	 * are read. NULL: those up to the last waiting request. */
	size_t (*state_used)(const void *state);
	/*
	 * Finds the end of the first PDU in `head`. It never reads beyond `head`, and never asks
	 * for more than pdu_max bytes. The end may depend on what both ends agreed on before.
	 * `state` is all zeros at the first bytes of a session, and where the session is
	 * met half-way.
	 */
	enum frame_result (*frame)(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
	enum reason malformed; /* the reason for refusing a malformed PDU */
	enum reason too_long;  /* for an enforcer whose `frame` can answer FRAME_LONG */
	/* the reason for delaying a request, because no more open requests can be remembered */
	enum reason pending;
	/*
	 * Parses a PDU into *ret, in which the caller has set only the lent rooms. The meaning of a
	 * PDU may depend on the state, for example on the route of a connection. The state is
	 * not changed.
	 */
	void (*parse)(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret);
	/*
	 * Remembers a judged request, refused or not, so that its answer can be checked. ret->dir
	 * is its sender. *ret is complete except for `allowed` and the conduit; the enforcer may
	 * still refuse an allowed request by setting another `reason`.
	 */
	void (*asked)(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret);
	/* Judges an answer: fills *ret, in which no conduit is set and `allowed` is false. */
	void (*answered)(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret);
	/*
	 * Looks at new bytes of the client, of a segment or a datagram, before they are judged:
	 * some receivers use another framing of the protocol. False: such a receiver would find a
	 * forbidden request (`reading` is set in *ret), or the bytes are a request in that framing
	 * only (`reading` is not set). *ret, which is zeroed except for dir, offset and length,
	 * then has that request. `begins`: the bytes begin with a PDU. May be NULL.
	 */
	bool (*framed_else)(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret);
	/*
	 * Looks at a segment of the client with new bytes before they are judged. `b` begins with a
	 * PDU at stream offset `offset`, of which `carried` bytes came in earlier segments; `late`:
	 * these came long before this segment. False: the segment is refused because a receiver may
	 * misread a PDU that is cut in this way. *ret, which is zeroed except for dir, offset and
	 * length, then says why. May be NULL.
	 */
	bool (*segment)(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
			const struct allowance *by, struct pdu *ret);
	/*
	 * The same for a retransmission: a segment of `length` bytes that begins `carried` bytes
	 * after the beginning of `b`. `b` begins with a PDU, and ends with the last byte that has
	 * passed. May be NULL.
	 */
	bool (*repeat)(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		       const struct allowance *by, struct pdu *ret);
	/* To judge a segment by itself, a zeroed state is equivalent to one in which all requests
	 * were answered. */
	bool afresh;
	/* Called by pending_clear, pending_missed, and pending_notice_table (for a new table), to
	 * change the rest of the state beside the list of waiting requests. May be NULL. */
	void (*all_answered)(void *state);
	void (*missed)(void *state);
	void (*new_table)(void *state);
	/* Whether devices send such a PDU. Used to find the next PDU in a capture that lacks bytes.
	 * May be NULL. */
	bool (*likely)(const void *state, enum direction dir, struct bytes pdu);
	/*
	 * For a refused request that passes under observe: whether some servers determine another
	 * end for it, and would read the following bytes from a wrong position. NULL: all servers
	 * determine the same end.
	 */
	bool (*misread)(const struct parsed *p, const struct pdu *u);
	/*
	 * Writes the name in an operation's `spelling` as the client writes it. Not called in the
	 * packet path. False: there is no name. NULL: addresses of this protocol are numbers.
	 */
	bool (*spell)(struct bytes spelling, char out[SPELLED_MAX]);
	/*
	 * Makes a template of an allowed request and its answer, after which nothing else was sent:
	 * in which bytes a repetition of the request may differ, and what its answer must be
	 * (dpi/once.h; the caller sets the permit). The template must stay valid until another
	 * request, or an answer that does not fit. False: the request cannot be described in this
	 * way, or its judgement depends on more than its bytes. NULL: the protocol has
	 * no templates.
	 */
	bool (*once)(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
	/*
	 * Writes the state of a session that `once` has just described, so that another worker can
	 * go on with it. False: a part of the state cannot be written; `to` may also be too small.
	 * NULL if `once` is NULL.
	 */
	bool (*keep)(const void *state, struct outbuf *to);
	/*
	 * The reverse of `keep`: reads the state of a flow that begins. The bytes come from an
	 * earlier process and may be anything. False: they are no state, and *state must not be
	 * used.
	 */
	bool (*again)(void *state, struct bytes kept);
};

/* modbus_enforcer and so on. */
#define ENFORCED(id, name, ...) extern const struct enforcer name##_enforcer;
#include "appliance/wire/protocols.def"

const struct enforcer *enforcer_of(enum protocol p); /* NULL when the protocol has none */

#endif
