/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/remembered.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/role/roles.h"

#define PLACES 15u
#define PLACE_BYTES (JOURNAL_NAMES_BYTES / PLACES)
#define BODY_AT 4096u
#define ORDER_MOST (UINT64_MAX / 4) /* never reached by counting */

/* The beginning of a place. Behind BODY_AT: the sealed bytes, then the numbers of the permits. It
 * is written last, so a journal that ended meanwhile leaves a free place. */
struct remembered {
	uint64_t order; /* rises; 0 = the place is free */
	struct event_generation which;
	uint64_t number;
	uint64_t n_sealed, n_permits; /* bytes */
	uint32_t n_interfaces, interfaces[MSG_NUMBERS];
};

static off_t offset_of(size_t place)
{
	return (off_t)(place * PLACE_BYTES);
}

static struct remembered read_place(int fd, size_t at)
{
	struct remembered p;

	if (pread(fd, &p, sizeof(p), offset_of(at)) != sizeof(p) || p.n_interfaces > MSG_NUMBERS ||
	    p.n_sealed > PLACE_BYTES - BODY_AT || p.n_permits > PLACE_BYTES - BODY_AT - p.n_sealed ||
	    p.order > ORDER_MOST)
		return (struct remembered){ 0 };
	return p;
}

static bool put_all(int fd, const uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, at);

		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
		at += w;
	}
	return true;
}

static bool take_all(int fd, uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t r = pread(fd, p, n, at);

		if (r <= 0)
			return false;
		p += r;
		n -= (size_t)r;
		at += r;
	}
	return true;
}

void remembered_put(int fd, const struct names_source *from, struct event_generation which)
{
	struct remembered p = { .which = which,
				.number = from->number,
				.n_sealed = from->n_sealed,
				.n_permits = from->permits.left,
				.n_interfaces =
					from->n_interfaces < MSG_NUMBERS ? (uint32_t)from->n_interfaces : MSG_NUMBERS };
	uint64_t oldest = UINT64_MAX;
	size_t at = 0;

	if (p.n_sealed + p.n_permits > PLACE_BYTES - BODY_AT)
		return;
	memcpy(p.interfaces, from->interfaces, p.n_interfaces * sizeof(p.interfaces[0]));
	for (size_t i = 0; i < PLACES; i++) {
		struct remembered old = read_place(fd, i);
		/* the place of this generation before any other, and one that sessions need last */
		uint64_t rank = old.order == 0				  ? 1
				: event_generation_same(old.which, which) ? 0
				: names_carried(from->carried, old.which) ? UINT64_MAX / 2 + old.order
									  : 1 + old.order;

		if (rank < oldest) {
			oldest = rank;
			at = i;
		}
		p.order = old.order > p.order ? old.order : p.order;
	}
	/* Only a journal that wrote other things than generations counts so far. */
	for (size_t i = 0; p.order == ORDER_MOST && i < PLACES; i++)
		(void)put_all(fd, (const uint8_t *)&(struct remembered){ 0 }, sizeof(p), offset_of(i));
	p.order = p.order % ORDER_MOST + 1;
	if (put_all(fd, (const uint8_t *)&(struct remembered){ 0 }, sizeof(p), offset_of(at)) &&
	    put_all(fd, from->sealed, from->n_sealed, offset_of(at) + BODY_AT) &&
	    put_all(fd, from->permits.p, from->permits.left, offset_of(at) + BODY_AT + (off_t)from->n_sealed))
		(void)put_all(fd, (const uint8_t *)&p, sizeof(p), offset_of(at));
}

static void take_one(int fd, size_t at, void (*take)(void *ctx, const struct names_source *from), void *ctx)
{
	const struct remembered p = read_place(fd, at);
	size_t n = p.n_sealed + p.n_permits;
	uint8_t *body = malloc(n + 1);

	if (body != NULL && take_all(fd, body, n, offset_of(at) + BODY_AT))
		take(ctx, &(struct names_source){ .number = p.number,
						  .sealed = body,
						  .n_sealed = p.n_sealed,
						  .permits = bytes_of(body + p.n_sealed, p.n_permits),
						  .interfaces = p.interfaces,
						  .n_interfaces = p.n_interfaces });
	free(body);
}

void remembered_take(int fd, void (*take)(void *ctx, const struct names_source *from), void *ctx)
{
	uint64_t taken = 0, next;
	size_t at = 0;

	do {
		next = UINT64_MAX;
		for (size_t i = 0; i < PLACES; i++) {
			uint64_t order = read_place(fd, i).order;

			if (order > taken && order < next) {
				next = order;
				at = i;
			}
		}
		if (next != UINT64_MAX)
			take_one(fd, at, take, ctx);
		taken = next;
	} while (next != UINT64_MAX);
}
