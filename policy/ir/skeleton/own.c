/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to and from the box itself. */
#include <netinet/in.h>

#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/writer.h"

#define ECHO_RATE 10u /* echo requests per second that the box answers */

/*
 * Lets the box answer a switch that asks who is in which multicast group (RFC 3810). The switch
 * forwards packets for a group only to its members, and neighbour solicitations are sent to groups.
 * So without an answer, nobody behind the switch would find the box, or the hosts for which the box
 * answers. The older messages are for a switch that asks by RFC 2710.
 */
static void listeners(struct writer *w)
{
	static const uint32_t says[] = { 131, 132, 143 };

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		put_of_link(w, CHAIN_OUTPUT, says[i], ICMP6_LAST_HOP);
}

/*
 * Limits how often neighbours ask. The kernel has one neighbour table for all zones and the admin
 * side, and stores each asker in it. Invented hosts of one side would fill it within a second, and
 * no neighbours of other sides would be found any more.
 */
static void put_asked(struct writer *w, uint32_t type)
{
	RULE(w, CHAIN_INPUT, DO_TRANSPORT(6, IPPROTO_ICMPV6), DO(IR_ICMP_TYPE, type, 0), DO(IR_HOPLIMIT, 255, 0),
	     DO_PACED(SET_PACE_LINK, KEY_PACE_LINK, IR_LINK_RATE, IR_LINK_BURST), DO_ACCEPT);
}

void input_rules(struct writer *w)
{
	/* Router advertisements (134) and redirects (137) are refused: box.cfg alone gives the box
	 * its routes. */
	put_asked(w, 133);
	put_asked(w, 135);
	put_of_link(w, CHAIN_INPUT, 136, 255);
	put_of_link(w, CHAIN_INPUT, ICMP6_WHO_LISTENS, ICMP6_LAST_HOP);
	put_home_only(w, CHAIN_INPUT);
	for (int six = 0; six < 2; six++) {
		RULE(w, CHAIN_INPUT, DO_TRANSPORT(six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP),
		     DO(IR_ICMP_TYPE, six ? 2 : 3, 0), DO(IR_CT_STATE, CT_RELATED, 0), DO_ACCEPT);
		RULE(w, CHAIN_INPUT, DO_TRANSPORT(six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP),
		     DO(IR_ICMP_TYPE, six ? 128 : 8, 0), DO(IR_LIMIT, ECHO_RATE, ECHO_RATE), DO_ACCEPT);
	}
	RULE(w, CHAIN_INPUT, DO_DROP(R_SELF));
}

/*
 * An answer of the box holds bytes of the packet that it answers. So it leaves only by the
 * interface where that packet came in: with a forged source, nobody can make the box send these
 * bytes into another zone. The kernel answers some packets before a rule has checked their source
 * (hop limit reached, too long, wrong header, missing fragments), and such an answer has no mark
 * from the guard. The strict reverse path filter does not help: the kernel reports a missing route
 * before it checks the source. A packet that the rules let through came from its source's
 * interface.
 */
void answer_rules(struct writer *w)
{
	RULE(w, CHAIN_ANSWER, DO_SET(IR_IN_SET, SET_HOME, KEY_HOME), DO_ACCEPT);
	RULE(w, CHAIN_ANSWER, DO(IR_MARK, UINT32_MAX, MARK_FAST), DO_ACCEPT);
	RULE(w, CHAIN_ANSWER, DO(IR_MARK_NOT, MARK_OUTCOME_MASK, 0), DO_ACCEPT);
	RULE(w, CHAIN_ANSWER, DO_DROP(R_SPOOFED));
}

void output_rules(struct writer *w)
{
	put_of_link(w, CHAIN_OUTPUT, 135, 255);
	put_of_link(w, CHAIN_OUTPUT, 136, 255);
	listeners(w);
	for (int six = 0; six < 2; six++) {
		RULE(w, CHAIN_OUTPUT, DO_TRANSPORT(six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP),
		     DO(IR_ICMP_TYPE, six ? 129 : 0, 0), DO(IR_CT_STATE, CT_ESTABLISHED, 0), DO_GO(CHAIN_ANSWER));
	}
	for (size_t i = 0; i < SKELETON_ERRORS; i++) {
		RULE(w, CHAIN_OUTPUT, DO_TRANSPORT(skeleton_errors[i].family, skeleton_errors[i].l4proto),
		     DO(IR_ICMP_TYPE, skeleton_errors[i].type, 0), DO(IR_CT_STATE, CT_RELATED, 0), DO_GO(CHAIN_ANSWER));
	}
	/*
	 * A reset from a gate, whose socket sets the mark of the session's lane. An end with
	 * another sequence number answers by an acknowledgement without data, which the worker must
	 * hear.
	 */
	for (int quiet = 1; quiet >= 0; quiet--) {
		RULE(w, CHAIN_OUTPUT, DO(IR_L4PROTO, IPPROTO_TCP, 0),
		     DO(IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST), DO_SET(IR_IN_SET, SET_RESETS, KEY_RESET));
		if (quiet)
			PUT(w, DO(IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT),
			    DO(IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0));
		PUT(w, DO_ACCEPT);
	}
	/* A reset of the cut lane, only for a tracked session whose own permit is not live. */
	RULE(w, CHAIN_OUTPUT, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST),
	     DO(IR_MARK, UINT32_MAX, mark_make(0, LANE_CUT, MARK_UNJUDGED)),
	     DO_SET(IR_NOT_IN_SET, SET_AGREE, KEY_CT_PERMIT), DO_ACCEPT);
	/* A reset for a segment without a session (chain invalid). */
	RULE(w, CHAIN_OUTPUT, DO(IR_L4PROTO, IPPROTO_TCP, 0), DO(IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST),
	     DO(IR_MARK, UINT32_MAX, MARK_STRAY), DO(IR_CT_STATE, CT_INVALID, 0), DO_ACCEPT);
	RULE(w, CHAIN_OUTPUT, DO_DROP(R_SELF_OUT));
}
