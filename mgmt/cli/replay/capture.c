/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/bytes.h"

/*
 * Reads pcapng: the blocks of a file with several sections and interfaces, each with its own link
 * type, time unit and byte order (libpcap gives up when two differ). Returns the frames as they are
 * in the file, without judging them. Owns its buffer and list of interfaces, but not the file.
 */

/* type of the block at a file's beginning, the same in both byte orders */
#define PCAPNG_SECTION 0x0a0d0d0au

struct pcapng_frame {
	uint16_t link; /* LINKTYPE_* of its interface */
	uint64_t wall_ns;
	struct bytes data; /* valid until the next call */
	bool cut;	   /* fewer bytes than were on the wire */
};

enum pcapng_step {
	PCAPNG_FRAME,
	PCAPNG_END,
	PCAPNG_CUT,  /* the file ends inside a block */
	PCAPNG_BAD,  /* a block with contradicting lengths */
	PCAPNG_ROOM, /* no memory */
};

#define BLOCK_INTERFACE 1u
#define BLOCK_OLD_PACKET 2u
#define BLOCK_SIMPLE 3u
#define BLOCK_PACKET 6u
#define BLOCK_MIN 12u
#define BLOCK_MAX (16u << 20)
#define INTERFACES_MAX 65536u

#define OPTION_END 0u
#define OPTION_RESOLUTION 9u
#define OPTION_OFFSET 14u

#define NS 1000000000u

struct interface {
	uint16_t link;
	uint32_t snaplen;    /* 0 = none */
	uint8_t resolution;  /* if_tsresol: power of ten, or of two if the highest bit is set */
	uint64_t offset_sec; /* is added to every time, modulo 2^64 */
};

struct pcapng {
	bool big; /* big-endian section */
	bool section;
	struct interface *interfaces; /* owned; of this section */
	uint32_t n_interfaces, interfaces_room;
	uint8_t *block; /* owned */
	size_t block_room;
	uint64_t last_ns; /* used for packets without a time */
};

/* NULL: no memory. */
static struct pcapng *pcapng_new(void)
{
	return calloc(1, sizeof(struct pcapng));
}

static void pcapng_free(struct pcapng *n)
{
	if (n == NULL)
		return;
	free(n->interfaces);
	free(n->block);
	free(n);
}

static bool get16(const struct pcapng *n, struct bytes *b, uint16_t *ret)
{
	return n->big ? bytes_be16(b, ret) : bytes_le16(b, ret);
}

static bool get32(const struct pcapng *n, struct bytes *b, uint32_t *ret)
{
	return n->big ? bytes_be32(b, ret) : bytes_le32(b, ret);
}

static bool block_room(struct pcapng *n, size_t size)
{
	uint8_t *more;

	if (size <= n->block_room)
		return true;
	more = realloc(n->block, size);
	if (more == NULL)
		return false;
	n->block = more;
	n->block_room = size;
	return true;
}

/* Begins a section and takes its byte order from its mark `magic`. To be called before the length
 * is read: it comes before the mark, but is in this byte order. False: the mark is invalid. */
static bool section_order(struct pcapng *n, const uint8_t magic[4])
{
	static const uint8_t big[4] = { 0x1a, 0x2b, 0x3c, 0x4d }, little[4] = { 0x4d, 0x3c, 0x2b, 0x1a };

	n->big = memcmp(magic, big, sizeof(big)) == 0;
	n->section = n->big || memcmp(magic, little, sizeof(little)) == 0;
	n->n_interfaces = 0;
	return n->section;
}

/* Reads one block: its type and the contents between its two lengths. */
static enum pcapng_step read_block(struct pcapng *n, FILE *from, uint32_t *ret_type, struct bytes *ret)
{
	uint8_t head[12];
	struct bytes b;
	uint32_t length, again;
	size_t got = fread(head, 1, sizeof(head), from), rest;

	if (got == 0)
		return ferror(from) ? PCAPNG_BAD : PCAPNG_END;
	if (got < sizeof(head))
		return PCAPNG_CUT;
	b = bytes_of(head, sizeof(head));
	bytes_be32(&b, ret_type);
	if (*ret_type == PCAPNG_SECTION ? !section_order(n, head + 8) : !n->section)
		return PCAPNG_BAD;
	b = bytes_of(head, sizeof(head));
	get32(n, &b, ret_type);
	get32(n, &b, &length);
	if (length < BLOCK_MIN || length > BLOCK_MAX || length % 4 != 0)
		return PCAPNG_BAD;
	/* In the smallest block the twelve bytes include the second length. */
	rest = length - sizeof(head);
	if (!block_room(n, length))
		return PCAPNG_ROOM;
	memcpy(n->block, head + 8, 4);
	if (fread(n->block + 4, 1, rest, from) != rest)
		return PCAPNG_CUT;
	b = bytes_of(n->block + rest, 4);
	get32(n, &b, &again);
	*ret = bytes_of(n->block, rest);
	return again == length ? PCAPNG_FRAME : PCAPNG_BAD;
}

static enum pcapng_step add_interface(struct pcapng *n, struct bytes b)
{
	struct interface in = { .resolution = 6 };
	uint16_t reserved, option, length;
	uint32_t high, low;
	struct bytes value;

	get16(n, &b, &in.link);
	get16(n, &b, &reserved);
	if (!get32(n, &b, &in.snaplen))
		return PCAPNG_BAD;
	while (b.left > 0) {
		get16(n, &b, &option);
		if (!get16(n, &b, &length) || !bytes_take(&b, length, &value))
			return PCAPNG_BAD;
		if (option == OPTION_END)
			break;
		if (option == OPTION_RESOLUTION && length == 1)
			bytes_u8(&value, &in.resolution);
		if (option == OPTION_OFFSET && length == 8) {
			get32(n, &value, n->big ? &high : &low);
			get32(n, &value, n->big ? &low : &high);
			in.offset_sec = (uint64_t)high << 32 | low;
		}
		bytes_skip(&b, (4u - length % 4u) % 4u);
	}
	if (n->n_interfaces == n->interfaces_room) {
		uint32_t room = n->interfaces_room ? n->interfaces_room * 2 : 4;
		struct interface *more = room <= INTERFACES_MAX ? realloc(n->interfaces, room * sizeof(*more)) : NULL;

		if (more == NULL)
			return PCAPNG_ROOM;
		n->interfaces = more;
		n->interfaces_room = room;
	}
	n->interfaces[n->n_interfaces++] = in;
	return PCAPNG_FRAME;
}

/* Converts units since 1970 to nanoseconds; an overflow gives the largest time. */
static uint64_t nanoseconds(const struct interface *in, uint64_t units)
{
	unsigned power = in->resolution & 0x7fu;
	uint64_t per = 1, sec, part;

	if (in->resolution & 0x80u) {
		sec = power < 64 ? units >> power : 0;
		part = power < 64 ? units & ((1ull << power) - 1u) : units;
		for (; power > 32; power--)
			part >>= 1; /* so that the product does not overflow */
		part = part * NS >> power;
	} else {
		for (unsigned i = 0; i < power && i < 19; i++)
			per *= 10;
		sec = units / per;
		part = units % per;
		part = per <= NS ? part * (NS / per) : part / (per / NS);
	}
	sec += in->offset_sec;
	return sec < INT64_MAX / NS ? sec * NS + part : INT64_MAX;
}

/* Reads one of three kinds of packet blocks. *ret_packet: it was one. */
static enum pcapng_step packet(struct pcapng *n, uint32_t type, struct bytes b, struct pcapng_frame *ret,
			       bool *ret_packet)
{
	uint32_t index = 0, high = 0, low = 0, captured = 0, original = 0;
	uint16_t word, drops;
	const struct interface *in;

	*ret_packet = type == BLOCK_PACKET || type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE;
	if (!*ret_packet)
		return PCAPNG_FRAME;
	if (type == BLOCK_PACKET) {
		get32(n, &b, &index);
	} else if (type == BLOCK_OLD_PACKET) {
		get16(n, &b, &word);
		get16(n, &b, &drops);
		index = word;
	}
	if (type != BLOCK_SIMPLE) {
		get32(n, &b, &high);
		get32(n, &b, &low);
		get32(n, &b, &captured);
	}
	get32(n, &b, &original);
	if (b.failed || index >= n->n_interfaces)
		return PCAPNG_BAD;
	in = &n->interfaces[index];
	if (type == BLOCK_SIMPLE) {
		captured = in->snaplen != 0 && in->snaplen < original ? in->snaplen : original;
		if (captured > b.left)
			captured = (uint32_t)b.left;
	} else {
		n->last_ns = nanoseconds(in, (uint64_t)high << 32 | low);
	}
	*ret = (struct pcapng_frame){ .link = in->link, .wall_ns = n->last_ns, .cut = captured < original };
	return bytes_take(&b, captured, &ret->data) ? PCAPNG_FRAME : PCAPNG_BAD;
}

/* After any result but PCAPNG_FRAME nothing more can be read. */
static enum pcapng_step pcapng_next(struct pcapng *n, FILE *from, struct pcapng_frame *ret)
{
	for (;;) {
		struct bytes body;
		uint32_t type;
		bool done = false;
		enum pcapng_step s = read_block(n, from, &type, &body);

		if (s == PCAPNG_FRAME && type == BLOCK_INTERFACE)
			s = add_interface(n, body);
		else if (s == PCAPNG_FRAME)
			s = packet(n, type, body, ret, &done);
		if (s != PCAPNG_FRAME || done)
			return s;
	}
}

/* Uses libpcap for pcap, and the reader above for pcapng, which accepts interfaces of different
 * kinds. */
struct capture {
	enum lang lang;
	pcap_t *pcap; /* owned, with its file; NULL for pcapng */
	struct pcapng *ng;
	FILE *file; /* owned if `ng` */
	int link;   /* link type of all frames, with `pcap` */
	bool live;
	uint64_t lost;
	uint32_t lost_before; /* libpcap's count at the last look */
	uint32_t frames, unread;
	int unread_link;
};

#define LIVE_SNAP 65600 /* bytes: the largest IP packet with its tags, as cards merge segments */
#define LINKTYPE_RAW 101
#define LINKTYPE_IPV4 228
#define LINKTYPE_IPV6 229

/* Accepts libpcap's numbers and those in files; where they differ, they mean the same here. */
static enum link_kind kind_of(int link)
{
	switch (link) {
	case DLT_EN10MB:
		return LINK_ETHERNET;
	case DLT_LINUX_SLL:
		return LINK_COOKED;
	case DLT_LINUX_SLL2:
		return LINK_COOKED2;
	case DLT_RAW:
	case LINKTYPE_RAW:
	case LINKTYPE_IPV4:
	case LINKTYPE_IPV6:
		return LINK_RAW;
	case DLT_NULL:
	case DLT_LOOP:
		return LINK_NULL;
	default:
		return LINK_UNKNOWN;
	}
}

_Static_assert(DLT_IPV4 == LINKTYPE_IPV4 && DLT_IPV6 == LINKTYPE_IPV6, "one number for both");

static const char *link_name(int link)
{
	const char *what = pcap_datalink_val_to_name(link);

	return what != NULL ? what : "?";
}

/* Reports one sentence; an errno behind it would confuse. */
static void say(const struct capture *c, struct err *e, enum message m, const char *name, const char *more)
{
	e->code = -EBADMSG;
	message_text(e->text, sizeof(e->text), c->lang, m, name, more);
}

/* The packing program of a file, by its first bytes; NULL: not packed. */
static const char *packed_by(const uint8_t *head, size_t n)
{
	static const struct {
		const char *name;
		size_t n;
		uint8_t head[6];
	} kinds[] = { { "gzip", 2, { 0x1f, 0x8b } },
		      { "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd } },
		      { "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
		      { "bzip2", 3, { 'B', 'Z', 'h' } },
		      { "lz4", 4, { 0x04, 0x22, 0x4d, 0x18 } },
		      { "zip", 4, { 'P', 'K', 3, 4 } } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (n >= kinds[i].n && memcmp(head, kinds[i].head, kinds[i].n) == 0)
			return kinds[i].name;
	return NULL;
}

/* A pipe cannot seek, but the bytes that were just read can be put back into its buffer. */
static bool put_back(FILE *from, const uint8_t *head, size_t n)
{
	if (fseek(from, 0, SEEK_SET) == 0)
		return true;
	clearerr(from);
	while (n > 0 && ungetc(head[n - 1], from) != EOF)
		n--;
	return n == 0;
}

/* Looks at the first bytes and puts them back. False: not a capture; *e tells so. */
static bool look(struct capture *c, FILE *from, const char *name, bool *ret_ng, struct err *e)
{
	static const uint8_t ng[4] = { 0x0a, 0x0d, 0x0d, 0x0a };
	static const uint8_t plain[][4] = {
		{ 0xa1, 0xb2, 0xc3, 0xd4 },
		{ 0xd4, 0xc3, 0xb2, 0xa1 }, /* microseconds */
		{ 0xa1, 0xb2, 0x3c, 0x4d },
		{ 0x4d, 0x3c, 0xb2, 0xa1 }, /* nanoseconds */
		/* with more fields for each packet */
		{ 0xa1, 0xb2, 0xcd, 0x34 },
		{ 0x34, 0xcd, 0xb2, 0xa1 },
	};
	uint8_t head[6];
	size_t n = fread(head, 1, sizeof(head), from);
	const char *packed = packed_by(head, n);
	bool known;

	*ret_ng = n >= sizeof(ng) && memcmp(head, ng, sizeof(ng)) == 0;
	known = *ret_ng;
	for (size_t i = 0; n >= 4 && i < sizeof(plain) / sizeof(plain[0]); i++)
		known = known || memcmp(head, plain[i], 4) == 0;
	if (known && put_back(from, head, n))
		return true;
	if (known)
		say(c, e, M_CAPTURE_PIPE, name, "");
	else if (packed != NULL)
		say(c, e, M_CAPTURE_PACKED, name, packed);
	else
		say(c, e, n == 0 ? M_CAPTURE_EMPTY : M_CAPTURE_FORMAT, name, "");
	return false;
}

struct capture *capture_open(FILE *from, const char *name, enum lang lang, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct capture *c = calloc(1, sizeof(*c));
	bool ng;

	if (c == NULL) {
		fclose(from);
		err_set(e, -ENOMEM, "%s", name);
		return NULL;
	}
	c->lang = lang;
	if (!look(c, from, name, &ng, e)) {
		fclose(from);
		free(c);
		return NULL;
	}
	if (ng) {
		c->ng = pcapng_new();
		c->file = from;
		if (c->ng == NULL) {
			err_set(e, -ENOMEM, "%s", name);
			capture_close(c);
			return NULL;
		}
		return c;
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(from, PCAP_TSTAMP_PRECISION_NANO, text);
	if (c->pcap == NULL) {
		if (feof(from))
			say(c, e, M_CAPTURE_HEAD_CUT, name, "");
		else
			say(c, e, M_CAPTURE_HEAD, name, text);
		fclose(from);
		free(c);
		return NULL;
	}
	c->link = pcap_datalink(c->pcap);
	return c;
}

struct capture *capture_live(const char *device, enum lang lang, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct capture *c = calloc(1, sizeof(*c));
	int r = PCAP_ERROR;

	if (c == NULL) {
		err_set(e, -ENOMEM, "%s", device);
		return NULL;
	}
	c->lang = lang;
	c->live = true;
	c->pcap = pcap_create(device, text);
	if (c->pcap != NULL) {
		pcap_set_snaplen(c->pcap, LIVE_SNAP);
		pcap_set_promisc(c->pcap, 1);
		pcap_set_timeout(c->pcap, CAPTURE_BLOCK_MS);
		pcap_set_buffer_size(c->pcap, CAPTURE_RING);
		pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
		r = pcap_activate(c->pcap);
		snprintf(text, sizeof(text), "%s", r < 0 ? pcap_geterr(c->pcap) : "");
	}
	if (r >= 0 && pcap_datalink(c->pcap) == DLT_EN10MB && pcap_setnonblock(c->pcap, 1, text) == 0) {
		pcap_setdirection(c->pcap, PCAP_D_IN);
		c->link = DLT_EN10MB;
		return c;
	}
	if (r >= 0 && pcap_datalink(c->pcap) != DLT_EN10MB)
		say(c, e, M_CAPTURE_NOT_ETHERNET, device, "");
	else if (r == PCAP_ERROR_PERM_DENIED)
		say(c, e, M_CAPTURE_ROOT, device, "");
	else
		say(c, e, M_CAPTURE_HEAD, device, text[0] != '\0' ? text : pcap_statustostr(r));
	capture_close(c);
	return NULL;
}

void capture_wait(struct capture *c, int milliseconds)
{
	struct pollfd p = { .fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN };

	poll(&p, 1, milliseconds);
}

uint64_t capture_lost(struct capture *c)
{
	struct pcap_stat s;

	if (pcap_stats(c->pcap, &s) == 0) {
		c->lost += (uint32_t)(s.ps_drop - c->lost_before);
		c->lost_before = s.ps_drop;
	}
	return c->lost;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	if (c->pcap != NULL)
		pcap_close(c->pcap); /* also closes the file */
	if (c->file != NULL)
		fclose(c->file);
	pcapng_free(c->ng);
	free(c);
}

uint32_t capture_unread(const struct capture *c, char *ret_what, size_t size)
{
	if (c->unread > 0)
		message_text(ret_what, size, c->lang, M_CAPTURE_LINK, c->unread, c->unread_link,
			     link_name(c->unread_link));
	return c->unread;
}

static enum capture_step frame(struct capture *c, struct capture_frame *ret, int link, struct bytes data)
{
	enum link_kind kind = kind_of(link);

	ret->number = ++c->frames;
	if (kind == LINK_UNKNOWN && c->unread++ == 0)
		c->unread_link = link;
	ret->has_ip = link_strip(kind, data, &ret->ip);
	return CAPTURE_FRAME;
}

static enum capture_step next_ng(struct capture *c, struct capture_frame *ret, struct err *e)
{
	struct pcapng_frame f;

	switch (pcapng_next(c->ng, c->file, &f)) {
	case PCAPNG_FRAME:
		ret->wall_ns = f.wall_ns;
		ret->cut = f.cut;
		return frame(c, ret, f.link, f.data);
	case PCAPNG_END:
		return CAPTURE_END;
	case PCAPNG_CUT:
		say(c, e, M_CAPTURE_CUT, "", "");
		return CAPTURE_DAMAGED;
	case PCAPNG_BAD:
		say(c, e, M_CAPTURE_BAD, "", "");
		return CAPTURE_DAMAGED;
	case PCAPNG_ROOM:
		err_set(e, -ENOMEM, "pcapng");
		return CAPTURE_DAMAGED;
	}
	return CAPTURE_DAMAGED;
}

enum capture_step capture_next(struct capture *c, struct capture_frame *ret, struct err *e)
{
	struct pcap_pkthdr *head;
	const u_char *data;
	int got;

	*ret = (struct capture_frame){ .number = c->frames };
	if (c->ng != NULL)
		return next_ng(c, ret, e);
	got = pcap_next_ex(c->pcap, &head, &data);
	if (got == PCAP_ERROR_BREAK)
		return CAPTURE_END;
	if (got == 0 && c->live)
		return CAPTURE_IDLE;
	if (got != 1 && c->live) {
		say(c, e, M_CAPTURE_HEAD, pcap_geterr(c->pcap), "");
		return CAPTURE_DAMAGED;
	}
	if (got != 1) {
		say(c, e, feof(pcap_file(c->pcap)) ? M_CAPTURE_CUT : M_CAPTURE_BAD, "", "");
		return CAPTURE_DAMAGED;
	}
	/* The field is named microseconds; with nanosecond precision it holds nanoseconds. */
	ret->wall_ns = (uint64_t)head->ts.tv_sec * 1000000000u + (uint64_t)head->ts.tv_usec;
	ret->cut = head->caplen < head->len;
	return frame(c, ret, c->link, bytes_of(data, head->caplen));
}
