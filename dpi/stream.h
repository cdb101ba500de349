/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP stream gate: decides which bytes of a connection are new, which repeat what already passed, and which have more
 * than one reading and therefore end the connection.
 *
 * Bytes ahead of a gap may pass, too: a receiver keeps them and can read none of them before the gap is filled. They are kept
 * here as well, and whoever fills the gap is judged together with all that it completes.
 *
 * It never guesses how a receiver would reassemble: every byte is handed to the judge in order, and what passed is kept
 * until the receiver acknowledges it, so that a repetition that differs is known and one that is equal can be judged again.
 * It knows nothing of packets, queues or policies. Kept bytes live in the inspector's pool; whoever owns a stream calls stream_free before it
 * forgets it. Sequence numbers are host order and compared with wrap-around.
 */
#ifndef SEKISHO_DPI_STREAM_H
#define SEKISHO_DPI_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/reason.h"
#include "dpi/decode.h"
#include "dpi/pool.h"
#include "dpi/protocol.h"
#include "dpi/runs.h"

#define STREAM_KEEP_MAX (256u * 1024u) /* bytes kept per direction */
#define STREAM_QUIET_MAX 1024u	       /* kept in all, without hearing what of it has arrived */
#define STREAM_BEHIND_MAX (1u << 22)   /* further behind it nothing is a repetition any more */
#define STREAM_AHEAD_MAX (1u << 20)    /* further ahead of the stream is never waited for */

enum tcp_state {
	TCP_NONE = 0, /* nothing seen, or met half-way: numbers say only what went by */
	TCP_SYN_SENT, /* SYN passed */
	TCP_SYN_RECV, /* SYN|ACK passed */
	TCP_OPEN,     /* handshake complete */
	TCP_CLOSED,   /* both ends finished, or a believable RST passed */
};

struct stream_dir {
	uint32_t isn;	    /* sequence number of the SYN */
	uint32_t next;	    /* first number that has not passed */
	uint32_t acked;	    /* the receiver acknowledged everything below */
	uint32_t head;	    /* first byte of an unfinished PDU; `next` when there is none */
	uint32_t first;	    /* start of the first PDU that the receiver has not acknowledged whole, when `framed` */
	uint32_t kept_from; /* number of the first kept byte; at most `acked`, `head` and, when `framed`, `first` */
	uint32_t fin_at;    /* number of the FIN, when `fin` */
	struct chain kept;  /* bytes kept_from .. next (without the FIN) */
	uint64_t offset;    /* bytes of this direction that passed */
	bool known;	    /* the numbers above mean something */
	bool fin;	    /* FIN passed */
	bool framed;	    /* what passes is cut into PDUs, and kept by whole ones */
	bool skipped;	    /* bytes that nobody has acknowledged were left behind as lost, and not kept */
	struct runs runs;   /* what passed ahead of a gap */
};

struct stream {
	struct stream_dir dir[2]; /* by enum direction */
	enum tcp_state state;
	uint32_t dialled;  /* number of the last SYN that the client sent over the live connection */
	bool redialled;	   /* one of them had another number than the connection's */
	uint32_t redial;   /* number of the SYN that the server took: STREAM_REDIAL */
	bool said_again;   /* the client said the SYN of the open connection once more */
	uint32_t answered; /* number of a SYN|ACK that went before the last one, when `answered_twice` */
	bool answered_twice;
	/* After a SYN over the live connection, until the server acknowledges more than `dialled_at`, and less than `anew_at`: */
	bool forgot;	     /* perhaps it knows nothing of what it has acknowledged */
	bool went_on;	     /* ... and bytes of the client passed since */
	bool anew;	     /* perhaps it reads from `anew_at` on, or a later number, and nothing before that */
	uint32_t anew_at;    /* the least such number: of what it had not acknowledged */
	uint32_t dialled_at; /* `next` of the client when the last such SYN passed */
	bool over;	     /* TCP_CLOSED, and the server itself said so: it will take no further byte */
};

enum stream_answer {
	STREAM_PASS,	/* nothing new in it; may go on */
	STREAM_NEW,	/* new bytes in order (or a FIN): judge `fresh`, then stream_commit */
	STREAM_AHEAD,	/* bytes before it are missing: may wait for them */
	STREAM_LOST,	/* acknowledges what never went by here; as STREAM_DROP unless a capture is read */
	STREAM_BLIND,	/* nobody knows whether its receiver has what it repeats, or from where it reads it */
	STREAM_DROP,	/* not acceptable; the sender will repeat or give up */
	STREAM_RESET,	/* more than one reading: both ends are to be reset */
	STREAM_RESTART, /* a SYN that opens a new connection on these ports */
	STREAM_REDIAL,	/* the server answers such a SYN: both ends have forgotten the connection that was live */
};

struct stream_result {
	enum stream_answer answer;
	enum reason reason;
	struct bytes fresh; /* STREAM_NEW: the new bytes, a part of the payload */
	bool fin;	    /* STREAM_NEW: a FIN follows them */
	bool data;	    /* the segment carries payload */
};

/* Bad combinations of flags, urgent data and payload on SYN or RST: R_NONE or the reason. Needs no connection. */
enum reason stream_flags(const struct decoded *d);
/* A SYN opens the connection: *s is overwritten (it keeps nothing). */
void stream_open(struct stream *s, enum direction dir, const struct decoded *d);
/*
 * As if the SYN of number `taken` had been the first: *s is overwritten (it keeps nothing). When `last` is another, which went after
 * it, the server may still take that.
 */
void stream_redial(struct stream *s, uint32_t taken, uint32_t last);
/* Looks at a segment whose flags are good. Changes what the acknowledgement and the handshake say, never the data. */
struct stream_result stream_segment(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/*
 * Reading a capture that lacks segments of the handshake: opens the connection where this segment shows that its ends had
 * opened it. True when an end's first number had to be concluded.
 */
bool stream_assume(struct stream *s, enum direction dir, const struct decoded *d);
/* Whether `n` more bytes can be kept; asked before they are judged. */
bool stream_room(const struct stream *s, const struct pool *pool, enum direction dir, size_t n);
/*
 * The fresh bytes pass. `unjudged`: how many bytes at the end of the stream belong to a PDU that is not whole yet (they are
 * kept beyond their acknowledgement). False when they cannot be kept; nothing is changed then.
 */
bool stream_commit(struct stream *s, struct pool *pool, enum direction dir, struct bytes fresh, bool fin,
		   size_t unjudged);
/*
 * What passed ahead and is completed by the fresh bytes: *fresh becomes all of it, in `room` (PACKET_MAX and
 * RUNS_BYTES large), or stays as it is. False when the two differ where they overlap.
 */
bool stream_join(const struct stream *s, const struct pool *pool, enum direction dir, bool fin, struct bytes *fresh,
		 uint8_t *room);
size_t stream_kept(const struct stream *s); /* bytes in the pool */
/* What an acknowledgement without data says could wait for the next segment: the stream is in order, and little is kept. */
bool stream_quiet(const struct stream *s);
void stream_move(struct stream *s, struct pool *pool, uint32_t holder); /* what is kept is another's now */
/* Bytes of the unfinished PDU, and a copy of them (out has room for that many). */
size_t stream_carry(const struct stream *s, enum direction dir);
bool stream_carry_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out);
/* From the unfinished PDU on this direction is cut into PDUs, which are kept whole. */
void stream_frame(struct stream *s, enum direction dir);
/*
 * The whole PDUs that passed and that the receiver has not acknowledged whole begin at `first`: how many bytes, and up to
 * `n` of them from there + `at`. Whoever finds a PDU there that is acknowledged whole moves `first` behind it.
 */
size_t stream_unacknowledged(const struct stream *s, enum direction dir);
size_t stream_unacknowledged_copy(const struct stream *s, const struct pool *pool, enum direction dir, size_t at,
				  void *out, size_t n);
/* As stream_unacknowledged_copy from `first` on, with the unfinished PDU behind them. */
size_t stream_kept_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out, size_t n);
void stream_acknowledged(struct stream *s, struct pool *pool, enum direction dir, size_t n);
/* Bytes before `first` that are kept because they are not acknowledged: they were never cut into PDUs. */
size_t stream_unframed(const struct stream *s, enum direction dir);
/* Half-way: notes what a segment says without judging it. TCP_CLOSED when both ends have finished. */
void stream_watch(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/* Half-way: the stream is in order from this segment on; the other direction from its acknowledgement. */
void stream_pick_up(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/*
 * What passed since the pick-up lies ahead of a gap, which begins at `to`, before it: the stream is in order from there on. False,
 * and nothing is changed, when the receiver has that already, the stream has ended, something was skipped, or too much has passed to be
 * kept so.
 */
bool stream_go_back(struct stream *s, enum direction dir, uint32_t to);
/* Whether the n bytes at this offset were judged before the stream went back. */
bool stream_judged_before(const struct stream *s, enum direction dir, uint64_t offset, uint32_t n);
/*
 * Goes on at number `to` of this direction; the bytes before it are lost for good. Unless they `arrived`, what the receiver has not
 * acknowledged of them is STREAM_BLIND from now on.
 */
void stream_skip(struct stream *s, struct pool *pool, enum direction dir, uint32_t to, bool arrived);
/* Forgets kept bytes (back into the pool); numbers stay. */
void stream_free(struct stream *s, struct pool *pool);

#endif
