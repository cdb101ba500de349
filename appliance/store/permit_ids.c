/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/permit_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/bytes.h"
#include "appliance/base/sha256.h"
#include "appliance/wire/mark.h"

#define FILE_NAME "permit-ids"
#define FILE_MAGIC 0x534b4944u /* SKID */
#define FILE_VERSION 1u
#define HEAD_BYTES 24u
#define ENTRY_BYTES 44u
#define DIGEST_BYTES 32u
#define FILE_MAX (64u << 20)

static int by_identity(const void *a, const void *b)
{
	const struct permit_id *x = a, *y = b;
	int c = memcmp(x->identity, y->identity, sizeof(x->identity));

	return c != 0 ? c : (x->id > y->id) - (x->id < y->id);
}

static bool decode(struct bytes b, struct permit_ids *p)
{
	uint8_t want[DIGEST_BYTES], got[DIGEST_BYTES];
	struct bytes body, tail = b;
	uint32_t magic, version, n;

	if (b.left < HEAD_BYTES + DIGEST_BYTES)
		return false;
	bytes_take(&tail, b.left - DIGEST_BYTES, &body);
	bytes_copy(&tail, want, sizeof(want));
	sha256(body.p, body.left, got);
	if (memcmp(want, got, sizeof(want)) != 0)
		return false;
	bytes_be32(&body, &magic);
	bytes_be32(&body, &version);
	bytes_be64(&body, &p->serial);
	bytes_be32(&body, &p->next);
	bytes_be32(&body, &n);
	if (body.failed || magic != FILE_MAGIC || version != FILE_VERSION || n != body.left / ENTRY_BYTES ||
	    body.left % ENTRY_BYTES != 0 || p->next > PERMIT_MAX)
		return false;
	p->list = calloc(n > 0 ? n : 1, sizeof(*p->list));
	if (p->list == NULL)
		return false;
	for (p->n = 0; p->n < n; p->n++) {
		struct permit_id *e = &p->list[p->n];

		bytes_copy(&body, e->identity, sizeof(e->identity));
		bytes_be32(&body, &e->id);
		bytes_be64(&body, &e->used);
		if (e->id == 0 || e->id > PERMIT_MAX)
			return false;
	}
	if (!bytes_done(&body))
		return false;
	qsort(p->list, p->n, sizeof(*p->list), by_identity);
	return true;
}

int permit_ids_load(int dirfd, struct permit_ids *p, bool *damaged, struct err *e)
{
	uint8_t *bytes;
	size_t n;
	int r;

	*p = (struct permit_ids){ 0 };
	*damaged = false;
	r = file_read(dirfd, FILE_NAME, FILE_MAX, &bytes, &n, e);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && decode(bytes_of(bytes, n), p)) {
		free(bytes);
		return 0;
	}
	if (r < 0 && r != -EFBIG && r != -EINVAL)
		return r;
	free(bytes);
	permit_ids_free(p);
	*damaged = true;
	if (getrandom(&p->next, sizeof(p->next), 0) != (ssize_t)sizeof(p->next))
		return err_set(e, -EIO, "random start of permit ids");
	p->next = p->next % PERMIT_MAX + 1;
	return 0;
}

static bool bit(const uint8_t *map, uint32_t i)
{
	return (map[i / 8] >> (i % 8)) & 1;
}

static void mark(uint8_t *map, uint32_t i)
{
	map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
}

static uint32_t free_id(const uint8_t *taken, uint32_t *next)
{
	uint32_t id = *next == 0 ? 1 : *next;

	for (uint32_t tries = 0; tries < PERMIT_MAX; tries++) {
		if (!bit(taken, id)) {
			*next = id == PERMIT_MAX ? 1 : id + 1;
			return id;
		}
		id = id == PERMIT_MAX ? 1 : id + 1;
	}
	return 0;
}

/* The entry of this identity whose id was not given out in this call, or NULL. */
static struct permit_id *known(struct permit_id *list, size_t n, const uint8_t *identity, const uint8_t *given)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(list[mid].identity, identity, sizeof(list[mid].identity)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < n && memcmp(list[lo].identity, identity, sizeof(list[lo].identity)) == 0; lo++)
		if (!bit(given, list[lo].id))
			return &list[lo];
	return NULL;
}

static int by_age(const void *a, const void *b)
{
	const struct permit_id *x = a, *y = b;

	return (x->used < y->used) - (x->used > y->used); /* newest first */
}

/* Forgets the identities that were out of force longest, never one of the serial just assigned. */
static void forget_old(struct permit_id *list, size_t *n, uint64_t serial)
{
	if (*n <= PERMIT_IDS_KEPT)
		return;
	qsort(list, *n, sizeof(*list), by_age);
	while (*n > PERMIT_IDS_KEPT && list[*n - 1].used != serial)
		--*n;
}

int permit_ids_assign(struct permit_ids *p, size_t n, const uint8_t *(*identity)(const void *ctx, size_t i),
		      const void *ctx, uint32_t *ids, struct err *e)
{
	struct permit_id *list = calloc(p->n + n + 1, sizeof(*list));
	uint8_t *taken = calloc(1, PERMIT_MAX / 8 + 1), *given = calloc(1, PERMIT_MAX / 8 + 1);
	uint32_t next = p->next;
	size_t total = p->n;
	int r = 0;

	if (list == NULL || taken == NULL || given == NULL) {
		r = err_set(e, -ENOMEM, "permit ids");
		goto out;
	}
	if (p->n > 0)
		memcpy(list, p->list, p->n * sizeof(*list));
	for (size_t i = 0; i < p->n; i++)
		mark(taken, list[i].id);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *who = identity(ctx, i);
		struct permit_id *old = known(list, p->n, who, given);

		if (old == NULL) {
			old = &list[total];
			memcpy(old->identity, who, sizeof(old->identity));
			old->id = free_id(taken, &next);
			if (old->id == 0) {
				r = err_set(e, -ENOSPC, "all %u permit ids are taken", PERMIT_MAX);
				goto out;
			}
			total++;
			mark(taken, old->id);
		}
		old->used = p->serial + 1;
		mark(given, old->id);
		ids[i] = old->id;
	}
	p->serial++;
	p->next = next;
	forget_old(list, &total, p->serial);
	qsort(list, total, sizeof(*list), by_identity);
	free(p->list);
	p->list = list;
	p->n = total;
	list = NULL;
out:
	free(list);
	free(taken);
	free(given);
	return r;
}

int permit_ids_save(int dirfd, const struct permit_ids *p, struct err *e)
{
	size_t size = HEAD_BYTES + p->n * ENTRY_BYTES + DIGEST_BYTES;
	uint8_t *buf = malloc(size), digest[DIGEST_BYTES];
	struct outbuf o;
	int r;

	if (buf == NULL)
		return err_set(e, -ENOMEM, "permit ids");
	o = outbuf_of(buf, size);
	out_be32(&o, FILE_MAGIC);
	out_be32(&o, FILE_VERSION);
	out_be64(&o, p->serial);
	out_be32(&o, p->next);
	out_be32(&o, (uint32_t)p->n);
	for (size_t i = 0; i < p->n; i++) {
		out_bytes(&o, p->list[i].identity, sizeof(p->list[i].identity));
		out_be32(&o, p->list[i].id);
		out_be64(&o, p->list[i].used);
	}
	sha256(buf, o.len, digest);
	out_bytes(&o, digest, sizeof(digest));
	r = o.failed ? err_set(e, -EOVERFLOW, "permit ids") : atomic_write(dirfd, FILE_NAME, buf, o.len, e);
	free(buf);
	return r;
}

void permit_ids_free(struct permit_ids *p)
{
	free(p->list);
	*p = (struct permit_ids){ 0 };
}
