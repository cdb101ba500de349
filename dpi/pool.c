/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/pool.h"

#include <stdlib.h>
#include <string.h>

bool pool_init(struct pool *p, size_t size_bytes)
{
	size_t n = size_bytes / POOL_BLOCK;

	memset(p, 0, sizeof(*p));
	if (n == 0 || n >= POOL_NONE)
		return false;
	/* calloc of this size comes from fresh zero pages: nothing is resident before it
	 * is used. */
	p->blocks = calloc(n, POOL_BLOCK);
	p->next = calloc(n, sizeof(*p->next));
	p->n = (uint32_t)n;
	p->free = POOL_NONE;
	if (p->blocks == NULL || p->next == NULL) {
		pool_done(p);
		return false;
	}
	return true;
}

void pool_done(struct pool *p)
{
	free(p->blocks);
	free(p->next);
	memset(p, 0, sizeof(*p));
}

void pool_book(struct pool *p, struct share_table *holders)
{
	p->holders = holders;
	pool_divide(p, 0, true);
}

void pool_divide(struct pool *p, uint32_t used, bool whole)
{
	share_divide(p->n, used, whole, p->part);
}

bool pool_is_divided(const struct pool *p)
{
	return p->part[SHARE_OTHER] < p->n;
}

void pool_for(struct pool *p, uint32_t holder)
{
	p->holder = holder;
}

static void blocks_book(struct pool *p, uint32_t holder, uint32_t blocks, bool back)
{
	uint32_t share;

	if (p->holders == NULL || blocks == 0)
		return;
	share = p->holders->holders[holder].share;
	p->in_share[share] = back ? p->in_share[share] - blocks : p->in_share[share] + blocks;
	share_book(p->holders, holder, HELD_BLOCKS, back ? -(int32_t)blocks : (int32_t)blocks);
}

static uint32_t blocks_of(const struct chain *c)
{
	return c->bytes == 0 ? 0 : (uint32_t)(((size_t)c->skip + c->bytes + POOL_BLOCK - 1) / POOL_BLOCK);
}

void chain_move(struct pool *p, struct chain *c, uint32_t holder)
{
	uint32_t n = blocks_of(c);

	if (n == 0 || c->holder == holder)
		return;
	blocks_book(p, holder, n, false);
	blocks_book(p, c->holder, n, true);
	c->holder = holder;
}

size_t pool_used_bytes(const struct pool *p)
{
	return (size_t)p->used * POOL_BLOCK;
}

static uint8_t *block(const struct pool *p, uint32_t i)
{
	return &p->blocks[(size_t)i * POOL_BLOCK];
}

/* Bytes that still fit into the chain's last block. */
static size_t tail_room(const struct chain *c)
{
	size_t end = ((size_t)c->skip + c->bytes) % POOL_BLOCK;

	return c->bytes == 0 || end == 0 ? 0 : POOL_BLOCK - end;
}

bool chain_room(const struct pool *p, const struct chain *c, size_t n)
{
	size_t tail = tail_room(c);
	size_t more = n > tail ? (n - tail + POOL_BLOCK - 1) / POOL_BLOCK : 0;
	uint32_t share;

	if (n > UINT32_MAX - c->bytes || more > p->n - p->used)
		return false;
	if (p->holders == NULL || more == 0)
		return true;
	share = p->holders->holders[c->bytes > 0 ? c->holder : p->holder].share;
	return p->in_share[share] < p->part[share] && more <= p->part[share] - p->in_share[share];
}

static uint32_t take_block(struct pool *p)
{
	uint32_t i = p->free;

	if (i != POOL_NONE)
		p->free = p->next[i];
	else
		i = p->fresh++;
	p->used++;
	return i;
}

static void give_block(struct pool *p, uint32_t i)
{
	p->next[i] = p->free;
	p->free = i;
	p->used--;
}

bool chain_append(struct pool *p, struct chain *c, struct bytes b)
{
	uint32_t before = blocks_of(c), holder = c->bytes > 0 ? c->holder : p->holder;

	if (!chain_room(p, c, b.left))
		return false;
	while (b.left > 0) {
		size_t tail = tail_room(c);
		size_t n;

		if (tail == 0) {
			uint32_t i = take_block(p);

			if (c->bytes == 0) {
				c->first = i;
				c->skip = 0;
			} else {
				p->next[c->last] = i;
			}
			c->last = i;
			tail = POOL_BLOCK;
		}
		n = b.left < tail ? b.left : tail;
		bytes_copy(&b, block(p, c->last) + (POOL_BLOCK - tail), n);
		c->bytes += (uint32_t)n;
	}
	c->holder = holder;
	blocks_book(p, holder, blocks_of(c) - before, false);
	return true;
}

void chain_drop(struct pool *p, struct chain *c, size_t n)
{
	uint32_t before = blocks_of(c);

	if (n >= c->bytes) {
		chain_clear(p, c);
		return;
	}
	while (n > 0) {
		size_t here = POOL_BLOCK - c->skip;
		uint32_t old = c->first;

		if (n < here) {
			c->skip += (uint32_t)n;
			c->bytes -= (uint32_t)n;
			break;
		}
		c->first = p->next[old];
		give_block(p, old);
		c->skip = 0;
		c->bytes -= (uint32_t)here;
		n -= here;
	}
	blocks_book(p, c->holder, before - blocks_of(c), true);
}

void chain_clear(struct pool *p, struct chain *c)
{
	blocks_book(p, c->holder, blocks_of(c), true);
	while (c->bytes > 0) {
		uint32_t old = c->first;
		uint32_t here = POOL_BLOCK - c->skip;

		c->first = p->next[old];
		c->bytes -= here < c->bytes ? here : c->bytes;
		c->skip = 0;
		give_block(p, old);
	}
	memset(c, 0, sizeof(*c));
}

/* Where offset `at` lies: block and offset inside it. `at` is below c->bytes. */
static uint32_t chain_seek(const struct pool *p, const struct chain *c, size_t at, size_t *ret_in)
{
	size_t in = c->skip + at;
	uint32_t i = c->first;

	for (; in >= POOL_BLOCK; in -= POOL_BLOCK)
		i = p->next[i];
	*ret_in = in;
	return i;
}

bool chain_copy(const struct pool *p, const struct chain *c, size_t at, void *out, size_t n)
{
	struct outbuf o = outbuf_of(out, n);
	size_t in;
	uint32_t i;

	if (at > c->bytes || n > c->bytes - at)
		return false;
	if (n == 0)
		return true;
	for (i = chain_seek(p, c, at, &in); n > 0; i = p->next[i], in = 0) {
		size_t here = POOL_BLOCK - in < n ? POOL_BLOCK - in : n;

		out_bytes(&o, block(p, i) + in, here);
		n -= here;
	}
	return true;
}

bool chain_equal(const struct pool *p, const struct chain *c, size_t at, struct bytes with)
{
	size_t in;
	uint32_t i;

	if (at > c->bytes || with.left > c->bytes - at)
		return false;
	if (with.left == 0)
		return true;
	for (i = chain_seek(p, c, at, &in); with.left > 0; i = p->next[i], in = 0) {
		size_t here = POOL_BLOCK - in < with.left ? POOL_BLOCK - in : with.left;

		if (!bytes_starts(&with, block(p, i) + in, here))
			return false;
		bytes_skip(&with, here);
	}
	return true;
}
