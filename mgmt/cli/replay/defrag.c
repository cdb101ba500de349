/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/defrag.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/checksum.h"

/*
 * One slot for each datagram: a buffer for the packet, header first, and a sorted list of the byte
 * runs that have arrived. A fragment that continues the last run lengthens it; any other begins a
 * new run, even if it touches one. The kernel does the same: a fragment "inside one run" is a
 * harmless repetition, anything else an overlap.
 */

#define DATA_MAX 65535u
#define RUNS_MAX 8192u	 /* most fragments of 8 bytes in 64 kB */
#define IP_HEAD_MAX 320u /* bytes before the fragmented part */
#define HEADERS_MAX 8	 /* IPv6 headers that are walked to find the fragment header */

struct run {
	uint32_t from, to; /* bytes of the fragmented part, [from, to) */
};

struct fragment {
	uint8_t family;
	uint8_t proto; /* IPv4: protocol; IPv6: the next header in the fragment header */
	uint8_t src[16], dst[16];
	uint32_t id;
	struct bytes head; /* headers before the fragmented part */
	/* IPv6: offset in head of the next-header byte that names the fragment header */
	size_t next_at;
	struct bytes data;
	uint32_t offset;
	bool more;
};

struct slot {
	bool used, refused;
	uint8_t family;
	uint8_t proto;
	uint8_t src[16], dst[16];
	uint32_t id;
	uint64_t since_ns;
	uint32_t total;	  /* length of the fragmented part; 0 = last fragment not yet seen */
	uint32_t have;	  /* bytes in runs */
	struct run *runs; /* owned */
	uint32_t n_runs, room;
	uint8_t head[IP_HEAD_MAX];
	size_t head_len; /* 0 = first fragment not yet seen */
	size_t next_at;
	uint8_t *data; /* owned, DATA_MAX bytes */
};

struct defrag {
	struct slot slots[DEFRAG_SLOTS];
	struct defrag_stats stats;
	uint8_t out[IP_HEAD_MAX + DATA_MAX];
};

struct defrag *defrag_new(void)
{
	return calloc(1, sizeof(struct defrag));
}

static void slot_clear(struct slot *s)
{
	free(s->runs);
	free(s->data);
	memset(s, 0, sizeof(*s));
}

void defrag_free(struct defrag *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < DEFRAG_SLOTS; i++)
		slot_clear(&d->slots[i]);
	free(d);
}

void defrag_stats(const struct defrag *d, struct defrag_stats *ret)
{
	*ret = d->stats;
	for (size_t i = 0; i < DEFRAG_SLOTS; i++)
		ret->incomplete += d->slots[i].used && !d->slots[i].refused;
}

/* False: no fragment, or invalid headers. */
static bool read_v4(struct bytes ip, struct fragment *f)
{
	struct bytes start = ip;
	uint8_t version_ihl, ttl;
	uint16_t total, id, bits, checksum;

	bytes_u8(&ip, &version_ihl);
	bytes_skip(&ip, 1);
	bytes_be16(&ip, &total);
	bytes_be16(&ip, &id);
	bytes_be16(&ip, &bits);
	bytes_u8(&ip, &ttl);
	bytes_u8(&ip, &f->proto);
	bytes_be16(&ip, &checksum);
	bytes_copy(&ip, f->src, 4);
	bytes_copy(&ip, f->dst, 4);
	if (ip.failed || (bits & 0x3fffu) == 0)
		return false;
	f->family = 4;
	f->id = id;
	f->more = (bits & 0x2000u) != 0;
	f->offset = (bits & 0x1fffu) * 8u;
	return total >= (version_ihl & 15u) * 4u && bytes_take(&start, (version_ihl & 15u) * 4u, &f->head) &&
	       f->head.left >= 20 && bytes_take(&start, total - f->head.left, &f->data);
}

static bool read_v6(struct bytes ip, struct fragment *f)
{
	struct bytes start = ip, body;
	uint16_t payload, bits;
	uint8_t next, reserved, length;
	size_t at = 40, next_at = 6;

	bytes_skip(&ip, 4);
	bytes_be16(&ip, &payload);
	bytes_u8(&ip, &next);
	bytes_skip(&ip, 1);
	bytes_copy(&ip, f->src, 16);
	bytes_copy(&ip, f->dst, 16);
	if (!bytes_take(&ip, payload, &body))
		return false;
	for (int i = 0; i < HEADERS_MAX && (next == 0 || next == 43 || next == 60); i++) {
		next_at = at;
		bytes_u8(&body, &next);
		bytes_u8(&body, &length);
		if (!bytes_skip(&body, 6u + 8u * length))
			return false;
		at += 8u + 8u * length;
	}
	if (next != 44 || at > IP_HEAD_MAX)
		return false;
	bytes_u8(&body, &f->proto);
	bytes_u8(&body, &reserved);
	bytes_be16(&body, &bits);
	bytes_be32(&body, &f->id);
	if (body.failed)
		return false;
	f->family = 6;
	f->more = (bits & 1u) != 0;
	f->offset = bits & 0xfff8u;
	f->next_at = next_at;
	f->data = body;
	return bytes_take(&start, at, &f->head);
}

static bool same(const struct slot *s, const struct fragment *f)
{
	/* IPv4 datagrams are also told apart by protocol; of IPv6 only the first fragment's next
	 * header counts. */
	return s->used && s->family == f->family && s->id == f->id && (f->family == 6 || s->proto == f->proto) &&
	       memcmp(s->src, f->src, sizeof(f->src)) == 0 && memcmp(s->dst, f->dst, sizeof(f->dst)) == 0;
}

static struct slot *slot_for(struct defrag *d, const struct fragment *f, struct mono now)
{
	struct slot *empty = NULL, *oldest = NULL;

	for (size_t i = 0; i < DEFRAG_SLOTS; i++) {
		struct slot *s = &d->slots[i];

		if (s->used && now.ns > s->since_ns && now.ns - s->since_ns > DEFRAG_TIME_NS) {
			d->stats.incomplete += !s->refused;
			slot_clear(s);
		}
		if (same(s, f))
			return s;
		if (!s->used)
			empty = s;
		else if (oldest == NULL || s->since_ns < oldest->since_ns)
			oldest = s;
	}
	if (empty == NULL) {
		d->stats.incomplete += !oldest->refused;
		slot_clear(oldest);
		empty = oldest;
	}
	empty->data = malloc(DATA_MAX);
	if (empty->data == NULL)
		return NULL;
	empty->used = true;
	empty->family = f->family;
	empty->proto = f->proto;
	memcpy(empty->src, f->src, sizeof(f->src));
	memcpy(empty->dst, f->dst, sizeof(f->dst));
	empty->id = f->id;
	empty->since_ns = now.ns;
	return empty;
}

enum placed { PLACED, REPEATED, WRONG };

/* Inserts [from, to) into the sorted list, unless it meets another run. */
static enum placed place(struct slot *s, uint32_t from, uint32_t to)
{
	uint32_t i = s->n_runs;

	while (i > 0 && s->runs[i - 1].from > from)
		i--;
	if (i > 0 && s->runs[i - 1].to > from)
		return to <= s->runs[i - 1].to ? REPEATED : WRONG;
	if (i < s->n_runs && s->runs[i].from < to)
		return s->runs[i].from == from && to <= s->runs[i].to ? REPEATED : WRONG;
	if (i > 0 && i == s->n_runs && s->runs[i - 1].to == from) {
		s->runs[i - 1].to = to;
		s->have += to - from;
		return PLACED;
	}
	if (s->n_runs == s->room) {
		uint32_t room = s->room ? s->room * 2 : 16;
		struct run *runs = room <= RUNS_MAX * 2 ? realloc(s->runs, room * sizeof(*runs)) : NULL;

		if (runs == NULL)
			return WRONG;
		s->runs = runs;
		s->room = room;
	}
	memmove(&s->runs[i + 1], &s->runs[i], (s->n_runs - i) * sizeof(s->runs[0]));
	s->runs[i] = (struct run){ .from = from, .to = to };
	s->n_runs++;
	s->have += to - from;
	return PLACED;
}

static enum placed add(struct slot *s, const struct fragment *f)
{
	uint32_t n = (uint32_t)f->data.left;
	uint32_t end;
	struct bytes from = f->data, head = f->head;
	enum placed p;

	if (n == 0 || f->data.left > DATA_MAX - f->offset || (f->more && n % 8 != 0))
		return WRONG;
	end = f->offset + n;
	if (f->head.left - (f->family == 6 ? 40u : 0u) > DATA_MAX - end)
		return WRONG;
	if (s->total != 0 && (end > s->total || (!f->more && end != s->total)))
		return WRONG;
	if (!f->more && s->n_runs > 0 && s->runs[s->n_runs - 1].to > end)
		return WRONG;
	p = place(s, f->offset, end);
	if (p != PLACED)
		return p;
	if (!f->more)
		s->total = end;
	bytes_copy(&from, s->data + f->offset, n);
	if (f->offset == 0 && f->head.left <= IP_HEAD_MAX) {
		s->head_len = f->head.left;
		bytes_copy(&head, s->head, s->head_len);
		s->next_at = f->next_at;
		s->proto = f->proto;
	}
	return PLACED;
}

static void set16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The datagram as if it had never been fragmented: with its own length, flags and checksum. */
static struct bytes assemble(struct defrag *d, const struct slot *s)
{
	size_t n = s->head_len + s->total;

	memcpy(d->out, s->head, s->head_len);
	memcpy(d->out + s->head_len, s->data, s->total);
	if (s->family == 4) {
		set16(d->out + 2, n);
		set16(d->out + 6, 0);
		set16(d->out + 10, 0);
		checksum_put(d->out + 10, checksum_add(0, bytes_of(d->out, s->head_len)));
	} else {
		set16(d->out + 4, n - 40);
		d->out[s->next_at] = s->proto;
	}
	return bytes_of(d->out, n);
}

enum defrag_result defrag_packet(struct defrag *d, struct bytes ip, struct mono now, struct bytes *ret)
{
	struct fragment f;
	struct slot *s;
	struct bytes peek = ip;
	uint8_t version;

	memset(&f, 0, sizeof(f));
	*ret = ip;
	if (!bytes_u8(&peek, &version) || !(version >> 4 == 4 ? read_v4(ip, &f) : read_v6(ip, &f)))
		return DEFRAG_WHOLE;
	d->stats.fragments++;
	s = slot_for(d, &f, now);
	if (s == NULL || s->refused)
		return DEFRAG_REFUSED;
	switch (add(s, &f)) {
	case WRONG:
		s->refused = true;
		d->stats.refused++;
		return DEFRAG_REFUSED;
	case REPEATED:
		return DEFRAG_WAITING;
	case PLACED:
		break;
	}
	if (s->head_len == 0 || s->total == 0 || s->have != s->total)
		return DEFRAG_WAITING;
	*ret = assemble(d, s);
	d->stats.reassembled++;
	slot_clear(s);
	return DEFRAG_DONE;
}
