/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the fuzz targets of enforcers: the bytes of one direction that wait, and the PDUs that
 * are taken from their beginning and judged. Included after a protocol's desk; FUZZ_STREAM: how
 * many bytes may wait.
 */
#ifndef SEKISHO_TESTS_FUZZ_STREAM_H
#define SEKISHO_TESTS_FUZZ_STREAM_H

#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x))                                                                                              \
			abort();                                                                                       \
	} while (0)

struct stream {
	uint8_t bytes[FUZZ_STREAM];
	size_t n;
};

/* Takes the next PDU and judges it when it is whole; `least`: the length of the shortest PDU. The
 * target aborts if its end depends on how many bytes are there. */
static inline enum frame_result next_pdu(struct desk *d, const struct stream *s, enum direction dir, size_t least,
					 size_t *ret_len)
{
	const uint8_t *copy = exact_copy(s->bytes, s->n);
	size_t less = 0;
	enum frame_result r;

	*ret_len = 0;
	r = DESK_ENFORCER.frame(d->state, dir, bytes_of(copy, s->n), ret_len);
	if (r == FRAME_WHOLE) {
		MUST(*ret_len >= least && *ret_len <= s->n && *ret_len <= DESK_ENFORCER.pdu_max);
		MUST(DESK_ENFORCER.frame(d->state, dir, bytes_of(copy, *ret_len - 1), &less) == FRAME_NEED_MORE);
		MUST(DESK_ENFORCER.frame(d->state, dir, bytes_of(copy, *ret_len), &less) == FRAME_WHOLE &&
		     less == *ret_len);
	}
	exact_done(copy, s->n);
	MUST(r != FRAME_NEED_MORE || s->n < DESK_ENFORCER.pdu_max);
	if (r == FRAME_WHOLE) {
		desk_judge(d, dir, s->bytes, *ret_len);
		MUST(d->p.reason < REASON_COUNT);
		MUST(pending_state_used(&DESK_ENFORCER, d->state) <= DESK_ENFORCER.state_size);
	}
	return r;
}

static inline void stream_drop(struct stream *s, size_t n)
{
	memmove(s->bytes, s->bytes + n, s->n - n);
	s->n -= n;
}

#endif
