/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of protocols that a policy may name. One row a protocol; language, compiler, worker and docs read it.
 * Adding a protocol: a row here, and for command rules a vocabulary (`vocabulary.h`) and an enforcer in dpi/.
 */
#ifndef SEKISHO_WIRE_PROTOCOLS_H
#define SEKISHO_WIRE_PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum protocol {
	PROTO_NONE = 0, /* not named by the policy; "unknown" in events */
	PROTO_TCP,	/* transport only: no inspection is possible or wanted */
	PROTO_UDP,
	PROTO_ICMP,   /* both families' echo and friends, by type */
	PROTO_MODBUS, /* enforced to the command */
	PROTO_TLS,    /* named by our own recogniser */
	PROTO_SSH,
	PROTO_HTTP,
	PROTO_POSTGRESQL,
	PROTO_DNS, /* named by nDPI from here on */
	PROTO_NTP,
	PROTO_RDP,
	PROTO_SMB,
	PROTO_FTP,
	PROTO_TELNET,
	PROTO_SNMP,
	PROTO_SYSLOG,
	PROTO_MQTT,
	PROTO_MYSQL,
	PROTO_LDAP,
	PROTO_KERBEROS,
	PROTO_SLMP,	   /* enforced to the command */
	PROTO_ENIP,	   /* enforced to the command */
	PROTO_S7COMM,	   /* enforced to the command */
	PROTO_S7COMM_PLUS, /* named by our own recogniser */
	PROTO_COUNT
};

_Static_assert(PROTO_COUNT < 64, "protocols are bits of a 64-bit set");

static inline uint64_t proto_bit(unsigned p)
{
	return (uint64_t)1 << p;
}

#define PROTO_BITS (((uint64_t)1 << PROTO_COUNT) - 1) /* all of them */

enum protocol_depth {
	DEPTH_TRANSPORT,  /* never queued */
	DEPTH_NDPI,	  /* nDPI decides, at full-inspection confidence only */
	DEPTH_RECOGNISED, /* our own recogniser decides; nDPI may contradict */
	DEPTH_COMMANDS,	  /* our own enforcer decides every PDU */
};

#define TRANSPORT_TCP 1u
#define TRANSPORT_UDP 2u
#define TRANSPORT_ICMP 4u

struct protocol_info {
	const char *name;      /* in policies, events, JSON */
	const char *ndpi_name; /* nDPI's own name, compared without case; NULL when nDPI has none */
	enum protocol_depth depth;
	unsigned transports; /* TRANSPORT_* it may run over */
	bool opaque;	     /* carries what cannot be inspected: counts as all commands in every proof */
};

const struct protocol_info *protocol_info(enum protocol p); /* never NULL; unknown values give PROTO_NONE's row */
enum protocol protocol_by_name(const char *name);	    /* PROTO_NONE when unknown */

#endif
