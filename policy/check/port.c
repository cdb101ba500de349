/* SPDX-License-Identifier: Apache-2.0 */
/* A service's port as it is written and as it is in packets. Depends on the model alone; used by
 * the checks and the packet space. */
#include <netinet/in.h>
#include <string.h>

#include "policy/check/model.h"

const struct transport port_transports[PORT_TRANSPORTS] = {
	{ "tcp", TRANSPORT_TCP, IPPROTO_TCP },
	{ "udp", TRANSPORT_UDP, IPPROTO_UDP },
	{ "icmp", TRANSPORT_ICMP, IPPROTO_ICMP },
};

/* Reads a decimal number without leading zeros and moves *p behind it. */
static bool decimal(const char **p, uint32_t max, uint32_t *ret)
{
	const char *s = *p;
	uint32_t v = 0;

	if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (uint32_t)(*s - '0');
		if (v > max)
			return false;
	}
	*p = s;
	*ret = v;
	return true;
}

const struct transport *port_parse(const char *text, struct ir_port *ret)
{
	const char *slash = strchr(text, '/');
	size_t n, i = 0;
	uint32_t lo, hi;
	bool icmp;

	if (slash == NULL)
		return NULL;
	n = (size_t)(slash - text);
	while (i < PORT_TRANSPORTS &&
	       (strlen(port_transports[i].name) != n || memcmp(port_transports[i].name, text, n) != 0))
		i++;
	if (i == PORT_TRANSPORTS)
		return NULL;
	icmp = port_transports[i].bit == TRANSPORT_ICMP;
	text = slash + 1;
	if (!decimal(&text, icmp ? 255 : 65535, &lo))
		return NULL;
	hi = lo;
	if (!icmp && *text == '-' && (text++, !decimal(&text, 65535, &hi)))
		return NULL;
	if (*text != '\0' || lo > hi || (!icmp && lo == 0))
		return NULL;
	*ret = (struct ir_port){ port_transports[i].l4proto, (uint16_t)(icmp ? lo << 8 : lo),
				 (uint16_t)(icmp ? lo << 8 : hi) };
	return &port_transports[i];
}

size_t port_in_family(const struct ir_port *p, uint8_t family, uint8_t *l4proto, struct number_range ret[2])
{
	static const uint16_t echo[2][2] = { { 8 << 8, 128 << 8 }, { 0, 129 << 8 } };
	size_t n = 0;

	*l4proto = p->l4proto;
	if (p->l4proto != IPPROTO_ICMP || family == 4) {
		ret[0] = (struct number_range){ p->lo, p->hi };
		return 1;
	}
	*l4proto = IPPROTO_ICMPV6;
	for (size_t i = 0; i < 2; i++)
		if (p->lo <= echo[i][0] && echo[i][0] <= p->hi)
			ret[n++] = (struct number_range){ echo[i][1], echo[i][1] };
	return n;
}
