/* SPDX-License-Identifier: Apache-2.0 */
/* Before tracking: what could only harm the sessions that tracking knows goes no further, errors
 * about them included. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"

/* Errors that tracking would relate to a session: RFC 792 knows two more, RFC 4443 (2.1) gives all
 * types below 128 to them. */
#define ICMP_QUENCH 4u
#define ICMP_REDIRECT 5u
#define ICMP6_INFORMS 128u

const struct icmp_error skeleton_errors[SKELETON_ERRORS] = {
	{ 4, IPPROTO_ICMP, 3 },	  { 4, IPPROTO_ICMP, 11 },  { 4, IPPROTO_ICMP, 12 },  { 6, IPPROTO_ICMPV6, 1 },
	{ 6, IPPROTO_ICMPV6, 2 }, { 6, IPPROTO_ICMPV6, 3 }, { 6, IPPROTO_ICMPV6, 4 },
};

/* Of all that can speak for a session of others, an error is the easiest to forge: only listed
 * types, only from where the source is. Echo requests and other messages of their own pass on. */
static void error_rules(struct writer *w)
{
	static const uint8_t unlisted[] = { ICMP_QUENCH, ICMP_REDIRECT };

	for (size_t i = 0; i < sizeof(unlisted); i++) {
		put_rule(w, CHAIN_GUARD);
		put_transport(w, 4, IPPROTO_ICMP);
		put(w, IR_ICMP_TYPE, unlisted[i], 0);
		put_drop(w, R_RELATED);
	}
	put_rule(w, CHAIN_GUARD);
	put_transport(w, 4, IPPROTO_ICMP);
	put(w, IR_UNROUTED, 0, 0);
	put_go(w, CHAIN_FORGED);
	put_rule(w, CHAIN_GUARD);
	put_transport(w, 6, IPPROTO_ICMPV6);
	put(w, IR_ICMP_BELOW, ICMP6_INFORMS, 0);
	put(w, IR_UNROUTED, 0, 0);
	put_go(w, CHAIN_FORGED);
	for (size_t i = 0; i < SKELETON_ERRORS; i++)
		if (skeleton_errors[i].family == 6) {
			put_rule(w, CHAIN_GUARD);
			put_transport(w, 6, IPPROTO_ICMPV6);
			put(w, IR_ICMP_TYPE, skeleton_errors[i].type, 0);
			put(w, IR_ACCEPT, 0, 0);
		}
	put_rule(w, CHAIN_GUARD);
	put_transport(w, 6, IPPROTO_ICMPV6);
	put(w, IR_ICMP_BELOW, ICMP6_INFORMS, 0);
	put_drop(w, R_RELATED);
}

/*
 * Tracking believes a SYN and its answer whatever interface they come in at, and would follow them
 * away from the session that is alive: a blind stranger could cut it with two packets. So what
 * opens or ends a TCP session is taken only from where its source is. The many segments in between
 * need no such question: they would have to lie in both windows, and the map `live` names their
 * interface. A datagram of IPv4 is asked too: the kernel's own strict reverse path would end it
 * before any rule that says whose it was. Headers that no rule names come no further for any
 * session, old or new.
 */
void guard_rules(struct writer *w)
{
	/* For what the box itself may have to answer. */
	put_rule(w, CHAIN_GUARD);
	put(w, IR_ARRIVED, 0, 0);
	/* Most packets first, by as few questions as will do; the rules behind would say the same
	 * of them. */
	for (uint32_t family = 4; family <= 6; family += 2) {
		if (family == 4) {
			put_rule(w, CHAIN_GUARD);
			put(w, IR_PLAIN, family, IPPROTO_UDP);
			put(w, IR_UNROUTED, 0, 0);
			put_go(w, CHAIN_FORGED);
		}
		put_rule(w, CHAIN_GUARD);
		put(w, IR_PLAIN, family, IPPROTO_UDP);
		put(w, IR_ACCEPT, 0, 0);
		put_rule(w, CHAIN_GUARD);
		put(w, IR_PLAIN, family, IPPROTO_TCP);
		put(w, IR_TCP_FLAGS, TCP_SYN | TCP_RST | TCP_FIN, 0);
		put(w, IR_ACCEPT, 0, 0);
	}
	/* The one question that has to come with options, and no further than to the box: its hops
	 * are at an end. */
	put_of_link(w, CHAIN_GUARD, ICMP6_WHO_LISTENS, ICMP6_LAST_HOP);
	put_rule(w, CHAIN_GUARD);
	put(w, IR_IP_OPTIONS, 0, 0);
	put_drop(w, R_IP_OPTIONS);
	put_rule(w, CHAIN_GUARD);
	put(w, IR_L4PROTO, IPPROTO_TCP, 0);
	put(w, IR_UNROUTED, 0, 0);
	put_go(w, CHAIN_FORGED);
	error_rules(w);
	put_rule(w, CHAIN_GUARD);
	put(w, IR_ACCEPT, 0, 0);
	put_rule(w, CHAIN_FORGED);
	put_drop(w, R_SPOOFED);
}
