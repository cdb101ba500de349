/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding of IPv4, IPv6, TCP, UDP and ICMP headers: the first code in the dpi role that touches a
 * packet.
 *
 * Strict on purpose: every length must agree with every other, options and extension headers are
 * refused, fragments are refused (the kernel has reassembled before the queue), checksums are
 * verified unless the kernel says that they are not filled in yet. Pure: owns nothing, allocates
 * nothing; the result borrows the packet's bytes.
 */
#ifndef SEKISHO_DPI_DECODE_H
#define SEKISHO_DPI_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/wire/reason.h"

#define IP_ICMP 1u
#define IP_TCP 6u
#define IP_UDP 17u
#define IP_ICMP6 58u

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

enum checksum_rule {
	CHECKSUM_STRICT, /* a packet with a wrong checksum is refused */
	/* offloaded frame: the card fills transport checksums in later, so they are not verified */
	CHECKSUM_UNREADY,
	CHECKSUM_FLAG, /* a wrong checksum is only noted in `bad_checksum` */
};

struct decoded {
	struct addr src, dst;
	uint8_t l4proto;   /* IANA number: IP_TCP, IP_UDP, IP_ICMP, IP_ICMP6 */
	uint8_t tcp_flags; /* TCP_* */
	/* TCP: the segment has an option of Multipath TCP; in a SYN or SYN|ACK this is an offer */
	bool multipath;
	/* Multipath TCP: the SYN asks to join an existing connection (MP_JOIN) */
	bool joins;
	bool bad_checksum;     /* CHECKSUM_FLAG only */
	uint8_t hops;	       /* hop limit (TTL) */
	uint8_t words;	       /* TCP: length of the header in words of 4 bytes */
	uint16_t sport, dport; /* host order; ICMP: 0 and type << 8 | code */
	uint32_t seq, ack;     /* TCP, host order */
	struct bytes ip;       /* the packet from the IP header on, cut to its stated length */
	struct bytes payload;  /* after the transport header */
};

/* R_NONE when *ret is whole and consistent; otherwise why the packet is refused (*ret then holds
 * what was read). */
enum reason decode_packet(struct bytes ip, enum checksum_rule rule, struct decoded *ret);

#endif
