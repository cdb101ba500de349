/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/runs.h"

#include <string.h>

static uint32_t end_of(const struct run *r)
{
	return r->from + r->bytes.bytes;
}

/* Whether two pieces have the same bytes where they overlap. */
static bool run_agrees(const struct run *r, const struct pool *pool, uint32_t seq, struct bytes b)
{
	uint32_t end = seq + (uint32_t)b.left;
	uint32_t from = seq_diff(seq, r->from) > 0 ? seq : r->from;
	uint32_t to = seq_diff(end, end_of(r)) < 0 ? end : end_of(r);
	struct bytes both;

	if (seq_diff(to, from) <= 0)
		return true;
	bytes_skip(&b, from - seq);
	bytes_take(&b, to - from, &both);
	return !both.failed && chain_equal(pool, &r->bytes, from - r->from, both);
}

static void run_drop(struct runs *r, struct pool *pool, uint32_t i)
{
	chain_clear(pool, &r->run[i].bytes);
	r->n--;
	memmove(&r->run[i], &r->run[i + 1u], (r->n - i) * sizeof(r->run[0]));
	memset(&r->run[r->n], 0, sizeof(r->run[0]));
}

size_t runs_bytes(const struct runs *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->run[i].bytes.bytes;
	return n;
}

static enum runs_answer add_behind(struct runs *r, struct pool *pool, uint32_t i, uint32_t seq, struct bytes b)
{
	struct run *run = &r->run[i];
	uint32_t end = seq + (uint32_t)b.left;

	if (seq_diff(end, end_of(run)) <= 0)
		return RUNS_KEPT;
	if (i + 1u < r->n && seq_diff(end, r->run[i + 1u].from) > 0)
		return RUNS_NO_ROOM;
	bytes_skip(&b, end_of(run) - seq);
	return chain_append(pool, &run->bytes, b) ? RUNS_KEPT : RUNS_NO_ROOM;
}

enum runs_answer runs_add(struct runs *r, struct pool *pool, uint32_t seq, struct bytes b)
{
	uint32_t end = seq + (uint32_t)b.left, at = 0;

	for (uint32_t i = 0; i < r->n; i++)
		if (!run_agrees(&r->run[i], pool, seq, b))
			return RUNS_DIFFER;
	if (b.left > RUNS_BYTES - runs_bytes(r))
		return RUNS_NO_ROOM;
	while (at < r->n && seq_diff(end_of(&r->run[at]), seq) < 0)
		at++;
	/* the bytes begin in this run, or directly behind it */
	if (at < r->n && seq_diff(r->run[at].from, seq) <= 0)
		return add_behind(r, pool, at, seq, b);
	if (r->n == RUNS_MAX || (at < r->n && seq_diff(end, r->run[at].from) > 0))
		return RUNS_NO_ROOM;
	memmove(&r->run[at + 1u], &r->run[at], (r->n - at) * sizeof(r->run[0]));
	r->n++;
	r->run[at] = (struct run){ .from = seq };
	if (chain_append(pool, &r->run[at].bytes, b))
		return RUNS_KEPT;
	run_drop(r, pool, at);
	return RUNS_NO_ROOM;
}

bool runs_take_first(struct runs *r, uint32_t seq, uint32_t judged_from, uint32_t judged_to, struct chain *bytes)
{
	if (r->n == RUNS_MAX || bytes->bytes > RUNS_BYTES - runs_bytes(r))
		return false;
	memmove(&r->run[1], &r->run[0], r->n * sizeof(r->run[0]));
	r->n++;
	r->run[0] = (struct run){ .from = seq,
				  .judged_at = (uint16_t)(judged_from - seq),
				  .judged = (uint16_t)(judged_to - judged_from),
				  .bytes = *bytes };
	*bytes = (struct chain){ 0 };
	return true;
}

bool runs_judged(const struct runs *r, uint32_t seq, uint32_t n)
{
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t at = seq - (r->run[i].from + r->run[i].judged_at);

		if (at < r->run[i].judged && n <= r->run[i].judged - at)
			return true;
	}
	return false;
}

bool runs_join(const struct runs *r, const struct pool *pool, uint32_t begin, bool fin, struct bytes *fresh,
	       uint8_t *room)
{
	uint32_t end = begin + (uint32_t)fresh->left;
	struct bytes own = *fresh;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct run *run = &r->run[i];
		uint32_t more = end_of(run) - end;

		if (!run_agrees(run, pool, begin, own) ||
		    (fin && seq_diff(end_of(run), begin + (uint32_t)own.left) > 0))
			return false;
		if (seq_diff(run->from, end) > 0 || seq_diff(end_of(run), end) <= 0)
			continue;
		if (fresh->p != room)
			memcpy(room, own.p, own.left);
		if (!chain_copy(pool, &run->bytes, end - run->from, room + fresh->left, more))
			return false;
		*fresh = bytes_of(room, fresh->left + more);
		end += more;
	}
	return true;
}

void runs_drop(struct runs *r, struct pool *pool, uint32_t to)
{
	while (r->n > 0 && seq_diff(r->run[0].from, to) <= 0)
		run_drop(r, pool, 0);
}

void runs_clear(struct runs *r, struct pool *pool)
{
	while (r->n > 0)
		run_drop(r, pool, 0);
}

void runs_move(struct runs *r, struct pool *pool, uint32_t holder)
{
	for (uint32_t i = 0; i < r->n; i++)
		chain_move(pool, &r->run[i].bytes, holder);
}
