/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of settings with a fixed set of values, as written in policies, renderings and answers.
 * Each list is in the order of its enum and ends with NULL.
 */
#ifndef SEKISHO_WIRE_SETTINGS_H
#define SEKISHO_WIRE_SETTINGS_H

#include <stddef.h>

#include "appliance/wire/lane.h"

#define VLAN_LAST 4094u /* 0 and 4095 name no VLAN (IEEE 802.1Q-2018, table 9-2) */

enum zone_class { CLASS_IT, CLASS_OPERATIONS, CLASS_OT, CLASS_EXTERNAL, CLASS_TEST, CLASS_MANAGEMENT };

enum peer_use { PEER_TIME, PEER_LOG, PEER_TERMINAL, PEER_UPDATE, PEER_UPS, PEER_MAIL, PEER_SNMP, PEER_BACKUP };

extern const char *const mode_words[];		/* bool observe */
extern const char *const tighten_words[];	/* bool tighten_new_flows */
extern const char *const criticality_words[];	/* enum criticality */
extern const char *const failure_words[];	/* enum failure */
extern const char *const midstream_words[];	/* enum midstream */
extern const char *const ledger_words[];	/* bool strict_ledger */
extern const char *const weak_tls_words[];	/* bool deny_weak_tls */
extern const char *const lane_kind_words[];	/* enum lane_kind */
extern const char *const zone_class_words[];	/* enum zone_class */
extern const char *const peer_words[];		/* enum peer_use */
extern const char *const log_transport_words[]; /* bool relp */
extern const char *const log_format_words[];	/* bool eve */
extern const char *const on_low_words[];	/* bool power_off */

/* What a person has to give to open a door. */
enum door_need { DOOR_NAME, DOOR_TICKET, DOOR_REASON, DOOR_NEEDS };
extern const char *const door_need_words[];
#define DOOR_LEAST 60u	 /* shortest time that a door is opened for, in seconds */
#define DOOR_MOST 86400u /* longest time, in seconds */

extern const char *const command_class_words[]; /* word n stands for bit n of the command classes */

#define WORD_TEXT 40 /* bytes, NUL included */

/* "commands/cargo/closed/hold"; "none", "cut" or "unknown" for a number that is no lane of a
 * policy. Returns `out`. */
const char *lane_text(uint32_t number, char out[WORD_TEXT]);
/* "tcp", "udp", "icmp", "icmpv6", or the number of another IP protocol. Returns `out`. */
const char *transport_text(uint8_t l4proto, char out[WORD_TEXT]);

/* How many words a list has. */
static inline uint32_t words_n(const char *const *words)
{
	uint32_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* Limits in days of `keep_days` and `delete_after_days`. */
#define RETENTION_LEAST 7u
#define RETENTION_MOST 36500u

/* Limits in seconds of `heard_within`: enforce looks at sessions every few
 * seconds (enforce/heard.h). */
#define HEARD_LEAST 30u
#define HEARD_MOST (31u * 86400u)

/* Limits in seconds of `idle` and `session`. */
#define LIMIT_LEAST 10u
#define LIMIT_MOST (31u * 86400u)

#define DURATION_TEXT 24u
/* "8 h", as policies write it; "-" for 0. Returns `out`. */
const char *duration_text(uint64_t seconds, char out[DURATION_TEXT]);

#endif
