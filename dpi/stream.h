/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP stream gate: decides which bytes of a connection are new, and which repeat bytes that
 * have passed. Bytes that receivers could read in more than one way end the connection.
 *
 * Bytes ahead of a gap may pass, too: a receiver keeps them and can read none of them before the
 * gap is filled. They are kept here as well, and the segment that fills the gap is judged together
 * with all that it completes.
 *
 * The gate never guesses how a receiver reassembles the stream. Every byte is judged in order, and
 * kept until the receiver acknowledges it. So a retransmission with different bytes is detected,
 * and an equal one can be judged again. It knows nothing of packets, queues or policies. Kept bytes
 * live in the inspector's pool; the owner of a stream calls stream_free before it drops it.
 * Sequence numbers are host order and compared with wrap-around.
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
#include "dpi/recognise.h"
#include "dpi/runs.h"

#define STREAM_KEEP_MAX (256u * 1024u) /* bytes kept per direction */
/* bytes kept in both directions while acknowledgements without data need not be seen */
#define STREAM_QUIET_MAX 1024u
#define STREAM_BEHIND_MAX (1u << 22) /* a segment further behind is no retransmission */
#define STREAM_AHEAD_MAX (1u << 20)  /* a segment further ahead does not wait */

enum tcp_state {
	/* nothing was seen, or the session was met half-way and numbers are only noted */
	TCP_NONE = 0,
	TCP_SYN_SENT, /* SYN passed */
	TCP_SYN_RECV, /* SYN|ACK passed */
	TCP_OPEN,     /* handshake complete */
	TCP_CLOSED,   /* both ends finished, or a valid RST passed */
};

struct stream_dir {
	uint32_t isn;	/* sequence number of the SYN */
	uint32_t next;	/* first sequence number that has not passed */
	uint32_t acked; /* the receiver has acknowledged all numbers below */
	uint32_t head;	/* first byte of an unfinished PDU; `next` when there is none */
	/* when `framed`: start of the first PDU that is not completely acknowledged */
	uint32_t first;
	/* number of the first kept byte; at most `acked`, `head` and, when `framed`, `first` */
	uint32_t kept_from;
	uint32_t fin_at;   /* number of the FIN, when `fin` */
	struct chain kept; /* bytes kept_from .. next (without the FIN) */
	uint64_t offset;   /* bytes of this direction that passed */
	bool known;	   /* the numbers above are valid */
	bool fin;	   /* FIN passed */
	bool framed;	   /* passing bytes are cut into PDUs, and kept as whole PDUs */
	/* unacknowledged bytes were skipped as lost, and are not kept */
	bool skipped;
	struct runs runs; /* bytes that passed ahead of a gap */
};

struct stream {
	struct stream_dir dir[2]; /* by enum direction */
	enum tcp_state state;
	/* number of the last SYN that the client sent over the live connection */
	uint32_t dialled;
	bool redialled;	 /* one of these SYNs had another number than the connection */
	uint32_t redial; /* number of the SYN that the server accepted: STREAM_REDIAL */
	bool said_again; /* the client repeated the SYN of the open connection */
	/* when `answered_twice`: number of the SYN|ACK before the last one */
	uint32_t answered;
	bool answered_twice;
	/* The following fields are used after a SYN over the live connection, until the server
	 * acknowledges more than `dialled_at` and less than `anew_at`. */
	bool forgot;  /* the server may have forgotten the bytes that it has acknowledged */
	bool went_on; /* bytes of the client have passed since the SYN */
	/* the server may read only from `anew_at`, or a later number, on */
	bool anew;
	/* the smallest such number: the first byte that the server had not acknowledged */
	uint32_t anew_at;
	uint32_t dialled_at; /* `next` of the client when the last such SYN passed */
	/* TCP_CLOSED, and the server itself closed: it will accept no further byte */
	bool over;
};

enum stream_answer {
	STREAM_PASS,  /* nothing new in the segment; it may pass */
	STREAM_NEW,   /* new bytes in order (or a FIN): judge `fresh`, then stream_commit */
	STREAM_AHEAD, /* bytes before the segment are missing: it may wait for them */
	/* the segment acknowledges bytes that never passed here; as STREAM_DROP, except in
	 * a capture */
	STREAM_LOST,
	/* the segment repeats bytes, and it is not known whether or from which position its
	 * receiver reads them */
	STREAM_BLIND,
	STREAM_DROP,	/* not acceptable; the sender will repeat the segment or give up */
	STREAM_RESET,	/* the bytes can be read in more than one way: reset both ends */
	STREAM_RESTART, /* a SYN that opens a new connection on these ports */
	/* the server answers a SYN over the live connection: both ends have forgotten
	 * that connection */
	STREAM_REDIAL,
};

struct stream_result {
	enum stream_answer answer;
	enum reason reason;
	struct bytes fresh; /* STREAM_NEW: the new bytes, a part of the payload */
	bool fin;	    /* STREAM_NEW: a FIN follows them */
	bool data;	    /* the segment carries payload */
};

/* Checks a segment for bad combinations of flags, urgent data, and payload on SYN or RST. R_NONE,
 * or the reason for refusing it. Needs no connection. */
enum reason stream_flags(const struct decoded *d);
/* Opens the connection by a SYN. *s is overwritten, and must not hold any bytes. */
void stream_open(struct stream *s, enum direction dir, const struct decoded *d);
/*
 * Opens the connection as if the SYN of number `taken` had been the first. *s is overwritten, and
 * must not hold any bytes. `last` is the number of the client's last SYN; if it differs, the server
 * may still accept that one.
 */
void stream_redial(struct stream *s, uint32_t taken, uint32_t last);
/* Judges a segment with valid flags. Updates the acknowledgement and the state of the handshake;
 * new data are taken only by stream_commit. */
struct stream_result stream_segment(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/*
 * For a capture that lacks segments of the handshake: opens the connection when this segment shows
 * that its ends had opened it. True when the first number of an end had to be inferred.
 */
bool stream_assume(struct stream *s, enum direction dir, const struct decoded *d);
/* Whether `n` more bytes can be kept. Called before they are judged. */
bool stream_room(const struct stream *s, const struct pool *pool, enum direction dir, size_t n);
/*
 * Notes that the fresh bytes pass. `unjudged`: how many bytes at the end of the stream belong to an
 * incomplete PDU; these are kept even when they are acknowledged. False, without a change, when the
 * bytes cannot be kept.
 */
bool stream_commit(struct stream *s, struct pool *pool, enum direction dir, struct bytes fresh, bool fin,
		   size_t unjudged);
/*
 * If the fresh bytes fill a gap, *fresh becomes the fresh bytes and the bytes that passed ahead, in
 * `room` (PACKET_MAX and RUNS_BYTES bytes); otherwise it stays as it is. False when the two differ
 * where they overlap.
 */
bool stream_join(const struct stream *s, const struct pool *pool, enum direction dir, bool fin, struct bytes *fresh,
		 uint8_t *room);
size_t stream_kept(const struct stream *s); /* bytes in the pool */
/* Whether acknowledgements without data need not be seen now: the stream is in order, and few bytes
 * are kept. */
bool stream_quiet(const struct stream *s);
/* Books the kept bytes on another holder. */
void stream_move(struct stream *s, struct pool *pool, uint32_t holder);
/* The number of bytes of the incomplete PDU, and a copy of them (`out` has room for that many). */
size_t stream_carry(const struct stream *s, enum direction dir);
bool stream_carry_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out);
/* From the incomplete PDU on, this direction is cut into PDUs, which are kept whole. */
void stream_frame(struct stream *s, enum direction dir);
/*
 * The whole PDUs that passed, but are not completely acknowledged, begin at `first`. Returns their
 * number of bytes, or copies up to `n` of them from `first` + `at` on. The caller moves `first`
 * beyond PDUs that are completely acknowledged.
 */
size_t stream_unacknowledged(const struct stream *s, enum direction dir);
size_t stream_unacknowledged_copy(const struct stream *s, const struct pool *pool, enum direction dir, size_t at,
				  void *out, size_t n);
/* As stream_unacknowledged_copy from `first` on, followed by the incomplete PDU. */
size_t stream_kept_copy(const struct stream *s, const struct pool *pool, enum direction dir, void *out, size_t n);
void stream_acknowledged(struct stream *s, struct pool *pool, enum direction dir, size_t n);
/* The number of unacknowledged bytes before `first`, which were never cut into PDUs. */
size_t stream_unframed(const struct stream *s, enum direction dir);
/* For a session met half-way: notes the numbers of a segment without judging it. The state becomes
 * TCP_CLOSED when both ends have finished. */
void stream_watch(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/* For a session met half-way: the stream is in order from this segment on, and the other direction
 * from the segment's acknowledgement on. */
void stream_pick_up(struct stream *s, struct pool *pool, enum direction dir, const struct decoded *d);
/*
 * Moves the beginning of the stream back to `to`, a number before the pick-up. Bytes that passed
 * since the pick-up then lie ahead of a gap. False, without a change, when the receiver has the
 * bytes already, the stream has ended, bytes were skipped, or too many bytes have passed to be kept
 * ahead of a gap.
 */
bool stream_go_back(struct stream *s, enum direction dir, uint32_t to);
/* Whether the n bytes at this offset were judged before the stream went back. */
bool stream_judged_before(const struct stream *s, enum direction dir, uint64_t offset, uint32_t n);
/*
 * Continues this direction at number `to`; the bytes before it are missing for good. Unless they
 * `arrived` at the receiver, segments that carry some of them, unacknowledged, are STREAM_BLIND
 * from now on.
 */
void stream_skip(struct stream *s, struct pool *pool, enum direction dir, uint32_t to, bool arrived);
/* Gives the kept bytes back to the pool. The numbers stay. */
void stream_free(struct stream *s, struct pool *pool);

#endif
