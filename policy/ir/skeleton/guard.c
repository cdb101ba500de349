/* SPDX-License-Identifier: Apache-2.0 */
/* Before connection tracking: drops what could only harm tracked sessions, including errors about
 * them. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/writer.h"

/* Types of errors besides those of skeleton_errors: RFC 792 has two more, and RFC 4443 (2.1)
 * reserves all types below 128 for errors. */
#define ICMP_QUENCH 4u
#define ICMP_REDIRECT 5u
#define ICMP6_INFORMS 128u

const struct icmp_error skeleton_errors[SKELETON_ERRORS] = {
	{ 4, IPPROTO_ICMP, 3 },	  { 4, IPPROTO_ICMP, 11 },  { 4, IPPROTO_ICMP, 12 },  { 6, IPPROTO_ICMPV6, 1 },
	{ 6, IPPROTO_ICMPV6, 2 }, { 6, IPPROTO_ICMPV6, 3 }, { 6, IPPROTO_ICMPV6, 4 },
};

/* An error is the easiest packet to forge for another's session, so only listed types pass, and
 * only from their source's interface. Echo requests and other messages go on. */
static void error_rules(struct writer *w)
{
	static const uint8_t unlisted[] = { ICMP_QUENCH, ICMP_REDIRECT };

	for (size_t i = 0; i < sizeof(unlisted); i++) {
		RULE(w, CHAIN_GUARD, DO_TRANSPORT(4, IPPROTO_ICMP), DO(IR_ICMP_TYPE, unlisted[i], 0),
		     DO_DROP(R_RELATED));
	}
	RULE(w, CHAIN_GUARD, DO_TRANSPORT(4, IPPROTO_ICMP), DO(IR_UNROUTED, 0, 0), DO_GO(CHAIN_FORGED));
	RULE(w, CHAIN_GUARD, DO_TRANSPORT(6, IPPROTO_ICMPV6), DO(IR_ICMP_BELOW, ICMP6_INFORMS, 0),
	     DO(IR_UNROUTED, 0, 0), DO_GO(CHAIN_FORGED));
	for (size_t i = 0; i < SKELETON_ERRORS; i++)
		if (skeleton_errors[i].family == 6) {
			RULE(w, CHAIN_GUARD, DO_TRANSPORT(6, IPPROTO_ICMPV6),
			     DO(IR_ICMP_TYPE, skeleton_errors[i].type, 0), DO_ACCEPT);
		}
	RULE(w, CHAIN_GUARD, DO_TRANSPORT(6, IPPROTO_ICMPV6), DO(IR_ICMP_BELOW, ICMP6_INFORMS, 0), DO_DROP(R_RELATED));
}

/*
 * Connection tracking accepts a SYN and its answer from any interface, and would then follow them
 * instead of the live session. So a stranger who sees nothing of a session could cut it with two
 * packets. Therefore packets that open or end a TCP session are only taken from their source's
 * interface. The segments in between need no check: a forged one would have to hit both windows,
 * and the map `live` names their interface. IPv4 datagrams are checked too: the kernel's own strict
 * reverse path filter would drop them before any rule that reports them. Headers that no rule names
 * are dropped for every session.
 */
void guard_rules(struct writer *w)
{
	/* Marks the packet with its interface: the box itself may have to answer it (own.c). */
	RULE(w, CHAIN_GUARD, DO(IR_ARRIVED, 0, 0));
	/* The most frequent packets come first and need few checks. The later rules would let them
	 * pass, too. */
	for (uint32_t family = 4; family <= 6; family += 2) {
		if (family == 4) {
			RULE(w, CHAIN_GUARD, DO(IR_PLAIN, family, IPPROTO_UDP), DO(IR_UNROUTED, 0, 0),
			     DO_GO(CHAIN_FORGED));
		}
		RULE(w, CHAIN_GUARD, DO(IR_PLAIN, family, IPPROTO_UDP), DO_ACCEPT);
		RULE(w, CHAIN_GUARD, DO(IR_PLAIN, family, IPPROTO_TCP),
		     DO(IR_TCP_FLAGS, TCP_SYN | TCP_RST | TCP_FIN, 0), DO_ACCEPT);
	}
	/* Multicast listener queries have IP options and are let through all the same. They reach
	 * only the box itself, because their hop limit is used up. */
	put_of_link(w, CHAIN_GUARD, ICMP6_WHO_LISTENS, ICMP6_LAST_HOP);
	RULE(w, CHAIN_GUARD, DO(IR_IP_OPTIONS, 0, 0), DO_DROP(R_IP_OPTIONS));
	RULE(w, CHAIN_GUARD, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_UNROUTED, 0, 0), DO_GO(CHAIN_FORGED));
	error_rules(w);
	RULE(w, CHAIN_GUARD, DO_ACCEPT);
	RULE(w, CHAIN_FORGED, DO_DROP(R_SPOOFED));
}
