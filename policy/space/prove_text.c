/* SPDX-License-Identifier: Apache-2.0 */
/* A counterexample in words: one form for all who speak of it. */
#include <netinet/in.h>
#include <stdio.h>

#include "appliance/wire/vocabulary.h"
#include "policy/space/prove.h"

static bool is_icmp(uint8_t l4proto)
{
	return l4proto == IPPROTO_ICMP || l4proto == IPPROTO_ICMPV6;
}

void never_end_text(const struct model_zone *zone, const struct model_hosts *h, char *out, size_t size)
{
	if (h->n_assets == 0)
		(void)snprintf(out, size, "%s", zone->name);
	else if (h->n_assets == 1)
		(void)snprintf(out, size, "%s (%s)", zone->name, h->assets[0]->name);
	else
		(void)snprintf(out, size, "%s (%s +%zu)", zone->name, h->assets[0]->name, h->n_assets - 1);
}

void counterexample_text(const struct counterexample *x, enum lang l, char *out, size_t size)
{
	const char *protocol = protocol_info(x->service->protocol)->name;
	const struct vocabulary *v = vocabulary_of(x->service->protocol);
	const struct function_info *f =
		v != NULL && x->function >= 0 ? function_by_code(v, (uint32_t)x->function) : NULL;
	char from[ADDR_TEXT], to[ADDR_TEXT], code[CODE_TEXT];
	int n;

	addr_text(&x->source, from);
	addr_text(&x->destination, to);
	n = snprintf(out, size, "%s -> %s %s/%u", from, to,
		     is_icmp(x->l4proto)	 ? "icmp"
		     : x->l4proto == IPPROTO_UDP ? "udp"
						 : "tcp",
		     is_icmp(x->l4proto) ? (unsigned)x->port >> 8 : (unsigned)x->port);
	if (n < 0 || (size_t)n >= size)
		return;
	out += n;
	size -= (size_t)n;
	if (x->function >= 0)
		code_text(v, (uint64_t)x->function, code);
	if (f != NULL)
		message_text(out, size, l, M_PROVE_FUNCTION, protocol, f->name, code);
	else if (x->function >= 0)
		message_text(out, size, l, M_PROVE_CODE, protocol, code);
	else
		message_text(out, size, l, M_PROVE_ANYTHING, protocol);
}
