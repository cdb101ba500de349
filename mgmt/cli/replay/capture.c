/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/replay/link.h"
#include "mgmt/cli/replay/pcapng.h"

/* pcap by libpcap, pcapng by a reader of our own, which takes files with interfaces of several kinds. */
struct capture {
	enum lang lang;
	pcap_t *pcap; /* owned, with its file; NULL for pcapng */
	struct pcapng *ng;
	FILE *file; /* owned when `ng` */
	int link;   /* of all frames, when `pcap` */
	bool live;
	uint64_t lost;
	uint32_t lost_before; /* as libpcap counts */
	uint32_t frames, unread;
	int unread_link;
};

#define LIVE_SNAP 65600 /* the largest IP packet with its tags, as cards put segments together */
#define LINKTYPE_RAW 101
#define LINKTYPE_IPV4 228
#define LINKTYPE_IPV6 229

/* Both libpcap's numbers and those in files; where they differ they mean the same here. */
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

/* The whole sentence; an errno behind it would only confuse. */
static void say(const struct capture *c, struct err *e, enum message m, const char *name, const char *more)
{
	e->code = -EBADMSG;
	message_text(e->text, sizeof(e->text), c->lang, m, name, more);
}

/* What the first bytes of a file say that it is; NULL: nothing that is packed. */
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

/* A pipe cannot be wound back, but what was just read can be given back to its buffer. */
static bool put_back(FILE *from, const uint8_t *head, size_t n)
{
	if (fseek(from, 0, SEEK_SET) == 0)
		return true;
	clearerr(from);
	while (n > 0 && ungetc(head[n - 1], from) != EOF)
		n--;
	return n == 0;
}

/* Looks at the first bytes and puts them back. False: it is no capture, and *e says so. */
static bool look(struct capture *c, FILE *from, const char *name, bool *ret_ng, struct err *e)
{
	static const uint8_t ng[4] = { 0x0a, 0x0d, 0x0d, 0x0a };
	static const uint8_t plain[][4] = {
		{ 0xa1, 0xb2, 0xc3, 0xd4 }, { 0xd4, 0xc3, 0xb2, 0xa1 }, /* microseconds */
		{ 0xa1, 0xb2, 0x3c, 0x4d }, { 0x4d, 0x3c, 0xb2, 0xa1 }, /* nanoseconds */
		{ 0xa1, 0xb2, 0xcd, 0x34 }, { 0x34, 0xcd, 0xb2, 0xa1 }, /* with more about each packet */
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
		pcap_close(c->pcap); /* closes the file as well */
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
	/* libpcap says "microseconds"; with nanosecond precision the field holds nanoseconds. */
	ret->wall_ns = (uint64_t)head->ts.tv_sec * 1000000000u + (uint64_t)head->ts.tv_usec;
	ret->cut = head->caplen < head->len;
	return frame(c, ret, c->link, bytes_of(data, head->caplen));
}
