/* SPDX-License-Identifier: Apache-2.0 */
/* What a port of a service is in packets: a fact of the model alone, for the checks and for the packet space. */
#include <netinet/in.h>

#include "policy/check/model.h"

size_t port_in_family(const struct model_port *p, uint8_t family, uint8_t *l4proto, struct number_range ret[2])
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
