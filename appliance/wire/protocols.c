/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/protocols.h"

#include <string.h>

static const struct protocol_info table[PROTO_COUNT] = {
	[PROTO_NONE] = { "unknown", NULL, DEPTH_TRANSPORT, 0, true },
	[PROTO_TCP] = { "tcp", NULL, DEPTH_TRANSPORT, TRANSPORT_TCP, true },
	[PROTO_UDP] = { "udp", NULL, DEPTH_TRANSPORT, TRANSPORT_UDP, true },
	[PROTO_ICMP] = { "icmp", NULL, DEPTH_TRANSPORT, TRANSPORT_ICMP, false },
	[PROTO_MODBUS] = { "modbus", "Modbus", DEPTH_COMMANDS, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_TLS] = { "tls", "TLS", DEPTH_RECOGNISED, TRANSPORT_TCP, true },
	[PROTO_SSH] = { "ssh", "SSH", DEPTH_RECOGNISED, TRANSPORT_TCP, true },
	[PROTO_HTTP] = { "http", "HTTP", DEPTH_RECOGNISED, TRANSPORT_TCP, false },
	[PROTO_POSTGRESQL] = { "postgresql", "PostgreSQL", DEPTH_RECOGNISED, TRANSPORT_TCP, false },
	[PROTO_DNS] = { "dns", "DNS", DEPTH_NDPI, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_NTP] = { "ntp", "NTP", DEPTH_NDPI, TRANSPORT_UDP, false },
	[PROTO_RDP] = { "rdp", "RDP", DEPTH_NDPI, TRANSPORT_TCP, true },
	[PROTO_SMB] = { "smb", "SMBv23", DEPTH_NDPI, TRANSPORT_TCP, false },
	[PROTO_FTP] = { "ftp", "FTP_CONTROL", DEPTH_NDPI, TRANSPORT_TCP, false },
	[PROTO_TELNET] = { "telnet", "Telnet", DEPTH_NDPI, TRANSPORT_TCP, true },
	[PROTO_SNMP] = { "snmp", "SNMP", DEPTH_NDPI, TRANSPORT_UDP, false },
	[PROTO_SYSLOG] = { "syslog", "Syslog", DEPTH_NDPI, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_MQTT] = { "mqtt", "MQTT", DEPTH_NDPI, TRANSPORT_TCP, false },
	[PROTO_MYSQL] = { "mysql", "MySQL", DEPTH_NDPI, TRANSPORT_TCP, false },
	[PROTO_LDAP] = { "ldap", "LDAP", DEPTH_NDPI, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_KERBEROS] = { "kerberos", "Kerberos", DEPTH_NDPI, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_SLMP] = { "slmp", NULL, DEPTH_COMMANDS, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_ENIP] = { "enip", "EthernetIP", DEPTH_COMMANDS, TRANSPORT_TCP | TRANSPORT_UDP, false },
	[PROTO_S7COMM] = { "s7comm", "S7Comm", DEPTH_COMMANDS, TRANSPORT_TCP, false },
	[PROTO_S7COMM_PLUS] = { "s7comm_plus", NULL, DEPTH_RECOGNISED, TRANSPORT_TCP, true },
};

const struct protocol_info *protocol_info(enum protocol p)
{
	return (unsigned)p < PROTO_COUNT ? &table[p] : &table[PROTO_NONE];
}

enum protocol protocol_by_name(const char *name)
{
	for (unsigned i = 1; i < PROTO_COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return (enum protocol)i;
	return PROTO_NONE;
}
