/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "mgmt/cli/link.h"

struct capture {
	pcap_t *pcap;
	enum link_kind kind;
	uint32_t frames;
};

static enum link_kind kind_of(int datalink)
{
	switch (datalink) {
	case DLT_EN10MB:
		return LINK_ETHERNET;
	case DLT_LINUX_SLL:
		return LINK_COOKED;
	case DLT_LINUX_SLL2:
		return LINK_COOKED2;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return LINK_RAW;
	case DLT_NULL:
	case DLT_LOOP:
		return LINK_NULL;
	default:
		return LINK_UNKNOWN;
	}
}

/* What libpcap says is a sentence of its own; an errno behind it would only confuse. */
static void say(struct err *e, int code, const char *name, const char *text)
{
	e->code = code;
	if (name != NULL)
		snprintf(e->text, sizeof(e->text), "%.110s: %.120s", name, text);
	else
		snprintf(e->text, sizeof(e->text), "%.230s", text);
}

struct capture *capture_open(FILE *from, const char *name, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct capture *c = calloc(1, sizeof(*c));
	int datalink;

	if (c == NULL) {
		fclose(from);
		err_set(e, -ENOMEM, "%s", name);
		return NULL;
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(from, PCAP_TSTAMP_PRECISION_NANO, text);
	if (c->pcap == NULL) {
		fclose(from);
		free(c);
		say(e, -EBADMSG, name, text);
		return NULL;
	}
	datalink = pcap_datalink(c->pcap);
	c->kind = kind_of(datalink);
	if (c->kind == LINK_UNKNOWN) {
		const char *what = pcap_datalink_val_to_name(datalink);

		err_set(e, -EPROTONOSUPPORT, "%s: link type %d (%s)", name, datalink, what != NULL ? what : "?");
		capture_close(c);
		return NULL;
	}
	return c;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	pcap_close(c->pcap); /* closes the file as well */
	free(c);
}

enum capture_step capture_next(struct capture *c, struct capture_frame *ret, struct err *e)
{
	struct pcap_pkthdr *head;
	const u_char *data;
	int got = pcap_next_ex(c->pcap, &head, &data);

	*ret = (struct capture_frame){ .number = c->frames };
	if (got == PCAP_ERROR_BREAK)
		return CAPTURE_END;
	if (got != 1) {
		say(e, -EBADMSG, NULL, pcap_geterr(c->pcap));
		return CAPTURE_DAMAGED;
	}
	ret->number = ++c->frames;
	/* libpcap says "microseconds"; with nanosecond precision the field holds nanoseconds. */
	ret->wall_ns = (uint64_t)head->ts.tv_sec * 1000000000u + (uint64_t)head->ts.tv_usec;
	ret->cut = head->caplen < head->len;
	ret->has_ip = link_strip(c->kind, bytes_of(data, head->caplen), &ret->ip);
	return CAPTURE_FRAME;
}
