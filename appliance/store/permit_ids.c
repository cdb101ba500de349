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
#define ENTRY_BYTES 76u
#define DIGEST_BYTES 32u
#define FILE_MAX (64u << 20)

static int by_id(const void *a, const void *b)
{
	const struct permit_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static bool ids_decode(struct bytes b, struct permit_ids *p)
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
		bytes_copy(&body, e->place, sizeof(e->place));
		bytes_be32(&body, &e->id);
		bytes_be64(&body, &e->used);
		if (e->id == 0 || e->id > PERMIT_MAX)
			return false;
	}
	if (!bytes_done(&body))
		return false;
	qsort(p->list, p->n, sizeof(*p->list), by_id);
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
	if (r == 0 && ids_decode(bytes_of(bytes, n), p)) {
		if (p->next != 0)
			p->next = (p->next - 1 + PERMIT_IDS_SPARE) % PERMIT_MAX + 1;
		free(bytes);
		return 0;
	}
	if (r == -ENOMEM)
		return r;
	free(bytes);
	permit_ids_free(p);
	*damaged = true;
	if (getrandom(&p->next, sizeof(p->next), 0) != (ssize_t)sizeof(p->next))
		return err_set(e, -EIO, "random start of permit ids");
	p->next = p->next % PERMIT_MAX + 1;
	return 0;
}

static bool bit_at(const uint8_t *map, uint32_t i)
{
	return (map[i / 8] >> (i % 8)) & 1;
}

static void bit_mark(uint8_t *map, uint32_t i)
{
	map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
}

static uint32_t free_id(const uint8_t *taken, uint32_t *next)
{
	uint32_t id = *next == 0 ? 1 : *next;

	for (uint32_t tries = 0; tries < PERMIT_MAX; tries++) {
		if (!bit_at(taken, id)) {
			*next = id == PERMIT_MAX ? 1 : id + 1;
			return id;
		}
		id = id == PERMIT_MAX ? 1 : id + 1;
	}
	return 0;
}

static int meaning_cmp(const struct permit_id *a, const uint8_t *identity, const uint8_t *place)
{
	int c = memcmp(a->identity, identity, sizeof(a->identity));

	return c != 0 ? c : memcmp(a->place, place, sizeof(a->place));
}

static int by_age(const void *a, const void *b)
{
	const struct permit_id *x = a, *y = b;

	return (x->used < y->used) - (x->used > y->used); /* newest first */
}

/* Orders entries by identity and place. If both are equal, the entry that was used last comes
 * first: its permit has moved to the place of the other entry's permit, and sessions in the kernel
 * have its id. */
static int by_meaning(const void *pa, const void *pb)
{
	const struct permit_id *a = *(struct permit_id *const *)pa, *b = *(struct permit_id *const *)pb;
	int c = meaning_cmp(a, b->identity, b->place);

	c = c != 0 ? c : by_age(a, b);
	return c != 0 ? c : by_id(a, b);
}

/* The entry with this identity and place whose id was not given out yet in this call. If there are
 * several, the one used last; NULL = none. */
static struct permit_id *find_known(struct permit_id *const *sorted, size_t n, const struct permit_wanted *w,
				    const uint8_t *given)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (meaning_cmp(sorted[mid], w->identity, w->place) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < n && meaning_cmp(sorted[lo], w->identity, w->place) == 0; lo++)
		if (!bit_at(given, sorted[lo]->id))
			return sorted[lo];
	return NULL;
}

static struct permit_id *entry_of(struct permit_id *list, size_t n, uint32_t id)
{
	struct permit_id key = { .id = id };

	return bsearch(&key, list, n, sizeof(*list), by_id);
}

/* Drops the entries that have been out of force longest, but none of the present assignment. */
static void forget_old(struct permit_id *list, size_t *n, uint64_t serial)
{
	if (*n <= PERMIT_IDS_KEPT)
		return;
	qsort(list, *n, sizeof(*list), by_age);
	while (*n > PERMIT_IDS_KEPT && list[*n - 1].used != serial)
		--*n;
}

int permit_ids_assign(struct permit_ids *p, size_t n, const struct permit_wanted *wanted, uint32_t *ids, struct err *e)
{
	struct permit_id *list = calloc(p->n + n + 1, sizeof(*list)), **sorted = calloc(p->n + 1, sizeof(void *));
	uint8_t *taken = calloc(1, PERMIT_MAX / 8 + 1), *given = calloc(1, PERMIT_MAX / 8 + 1);
	uint32_t next = p->next;
	size_t total = p->n;
	int r = 0;

	if (list == NULL || sorted == NULL || taken == NULL || given == NULL) {
		r = err_set(e, -ENOMEM, "permit ids");
		goto out;
	}
	if (p->n > 0)
		memcpy(list, p->list, p->n * sizeof(*list));
	for (size_t i = 0; i < p->n; i++) {
		bit_mark(taken, list[i].id);
		sorted[i] = &list[i];
	}
	qsort(sorted, p->n, sizeof(struct permit_id *), by_meaning);
	/* A permit that continues an id keeps it. So no other permit may get that id by its
	 * identity and place. */
	for (size_t i = 0; i < n; i++)
		if (wanted[i].keep != 0)
			bit_mark(given, wanted[i].keep);
	for (size_t i = 0; i < n; i++) {
		const struct permit_wanted *w = &wanted[i];
		struct permit_id *entry =
			w->keep != 0 ? entry_of(list, p->n, w->keep) : find_known(sorted, p->n, w, given);

		if (entry == NULL) {
			entry = &list[total];
			entry->id = w->keep != 0 ? w->keep : free_id(taken, &next);
			if (entry->id == 0) {
				r = err_set(e, -ENOSPC, "all %u permit ids are taken", PERMIT_MAX);
				goto out;
			}
			total++;
			bit_mark(taken, entry->id);
		}
		ids[i] = entry->id;
		entry->used = p->serial + 1;
		bit_mark(given, entry->id);
	}
	/* Sorted only here, because entries are searched above by their old identities. */
	qsort(list, total, sizeof(*list), by_id);
	for (size_t i = 0; i < n; i++) {
		struct permit_id *entry = entry_of(list, total, ids[i]);

		p->unsaved |= meaning_cmp(entry, wanted[i].identity, wanted[i].place) != 0;
		memcpy(entry->identity, wanted[i].identity, sizeof(entry->identity));
		memcpy(entry->place, wanted[i].place, sizeof(entry->place));
	}
	p->unsaved |= total > p->n;
	p->given += (uint32_t)(total - p->n);
	p->serial++;
	p->next = next;
	forget_old(list, &total, p->serial);
	qsort(list, total, sizeof(*list), by_id);
	free(p->list);
	p->list = list;
	p->n = total;
	list = NULL;
out:
	free(list);
	free(sorted);
	free(taken);
	free(given);
	return r;
}

int permit_ids_save(int dirfd, struct permit_ids *p, struct err *e)
{
	size_t size = HEAD_BYTES + p->n * ENTRY_BYTES + DIGEST_BYTES;
	uint8_t *buf, digest[DIGEST_BYTES];
	struct outbuf o;
	int r;

	if (!p->unsaved)
		return 0;
	buf = malloc(size);
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
		out_bytes(&o, p->list[i].place, sizeof(p->list[i].place));
		out_be32(&o, p->list[i].id);
		out_be64(&o, p->list[i].used);
	}
	sha256(buf, o.len, digest);
	out_bytes(&o, digest, sizeof(digest));
	r = o.failed ? err_set(e, -EOVERFLOW, "permit ids") : atomic_write(dirfd, FILE_NAME, buf, o.len, e);
	/* Renaming over a file works, but over a folder it does not. */
	if (r == -EISDIR && file_aside(dirfd, FILE_NAME) == 0)
		r = atomic_write(dirfd, FILE_NAME, buf, o.len, e);
	p->unsaved = r < 0;
	if (r == 0)
		p->given = 0;
	free(buf);
	return r;
}

void permit_ids_free(struct permit_ids *p)
{
	free(p->list);
	*p = (struct permit_ids){ 0 };
}

int permit_ids_try(const struct permit_ids *p, size_t n, const struct permit_wanted *wanted, uint32_t *ids,
		   struct err *e)
{
	struct permit_ids copy = *p;
	int r;

	copy.list = calloc(p->n + 1, sizeof(*copy.list));
	if (copy.list == NULL)
		return err_set(e, -ENOMEM, "permit ids");
	if (p->n > 0)
		memcpy(copy.list, p->list, p->n * sizeof(*copy.list));
	r = permit_ids_assign(&copy, n, wanted, ids, e);
	permit_ids_free(&copy);
	return r;
}
