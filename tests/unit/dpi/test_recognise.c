/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recognisers: the first bytes of real peers, every prefix of them, and similar bytes.
 *
 * LINK: dpi/recognise.c dpi/%/frame.c dpi/opcua/builtin.c dpi/forms/%.c appliance/wire/protocols.c
 * LINK: appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/protocol.h"
#include "dpi/recognise.h"

struct sample {
	enum protocol protocol;
	enum direction dir;
	size_t needed; /* number of bytes after which the protocol is decided */
	size_t n;
	const char *bytes;
	enum recognition is;
};

#define S(p, d, needed, text)                                                                                          \
	{                                                                                                              \
		p, d, needed, sizeof(text) - 1, text, RECOGNISED                                                       \
	}
/* Bytes that fit this protocol but also others: only the other end decides. */
#define H(p, d, needed, text)                                                                                          \
	{                                                                                                              \
		p, d, needed, sizeof(text) - 1, text, RECOGNISE_HALF                                                   \
	}
#define IF_GREETED(p, needed, text)                                                                                    \
	{                                                                                                              \
		p, DIR_C2S, needed, sizeof(text) - 1, text, RECOGNISE_IF_GREETED                                       \
	}
#define DIALECTS "\0\0\0\0\x18\x53\xc8\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xfe\0\0\0\0"
#define NAME32 "EEEBFEEFFCFACACACACACACACACACACA"

#define S7_CONNECTS "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"

static const struct sample good[] = {
	S(PROTO_DNS, DIR_C2S, 14, "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x03www"),
	S(PROTO_TLS, DIR_C2S, 11,
	  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	  "abcdefgh"),
	S(PROTO_TLS, DIR_S2C, 11,
	  "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
	  "abcdefgh"),
	S(PROTO_TLS, DIR_S2C, 6, "\x15\x03\x03\x00\x02\x02\x28"),
	S(PROTO_SSH, DIR_C2S, 8, "SSH-2.0-OpenSSH_9.2p1\r\n"),
	S(PROTO_SSH, DIR_S2C, 8, "SSH-2.0-dropbear\r\n"),
	S(PROTO_SSH, DIR_S2C, 9, "SSH-1.99-Cisco-1.25\r\n"),
	S(PROTO_HTTP, DIR_C2S, 5, "GET / HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 7, "\r\nGET / HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 10, "PROPFIND /dav HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 15, "OPTIONS * HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 9, "GET http://tos/ HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 9, "CONNECT tos:443 HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 11, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	S(PROTO_HTTP, DIR_C2S, 8, "REPORT /dav HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 16, "M-SEARCH * HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_C2S, 11, "SUBSCRIBE /upnp HTTP/1.1\r\n"),
	S(PROTO_HTTP, DIR_S2C, 9, "\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64"),
	S(PROTO_HTTP, DIR_S2C, 8, "HTTP/1.1 200 OK\r\n"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x08\x04\xd2\x16\x2f"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x08\x04\xd2\x16\x30"),
	S(PROTO_POSTGRESQL, DIR_C2S, 8, "\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x01\x00\xaa\xbb\xcc\xdd"),
	S(PROTO_POSTGRESQL, DIR_C2S, 9, "\x00\x00\x00\x54\x00\x03\x00\x00user\x00tos\x00"),
	S(PROTO_POSTGRESQL, DIR_S2C, 5, "R\x00\x00\x00\x08\x00\x00\x00\x00"),
	S(PROTO_POSTGRESQL, DIR_S2C, 5, "E\x00\x00\x00\x65SFATAL"),
	S(PROTO_MODBUS, DIR_C2S, 8, "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a"),
	S(PROTO_MODBUS, DIR_S2C, 8, "\x00\x01\x00\x00\x00\x03\x01\x83\x02"),
	S(PROTO_S7COMM, DIR_C2S, 12, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x07\x00\xc1\x02\x01\x00\xc2"),
	S(PROTO_S7COMM, DIR_S2C, 12, "\x03\x00\x00\x16\x11\xd0\x00\x07\x00\x03\x00\xc0\x01\x0a\xc1\x02"),
	S(PROTO_SLMP, DIR_C2S, 9, "\x50\x00\x00\xff\xff\x03\x00\x0c\x00\x10\x00\x01\x04\x00\x00"),
	S(PROTO_SLMP, DIR_S2C, 9, "\xd0\x00\x00\xff\xff\x03\x00\x04\x00\x00\x00\x34\x12"),
	S(PROTO_SLMP, DIR_C2S, 13, "\x54\x00\x34\x12\x00\x00\x00\xff\xff\x03\x00\x0c\x00\x10\x00\x01\x04"),
	S(PROTO_SLMP, DIR_S2C, 13, "\xd4\x00\x34\x12\x00\x00\x00\xff\xff\x03\x00\x02\x00\x00\x00"),
	S(PROTO_SLMP, DIR_C2S, 16, "500000FF03FF00001800100401"),
	S(PROTO_SLMP, DIR_S2C, 16, "D00000FF03FF0000080000"),
	S(PROTO_SLMP, DIR_C2S, 16, "54001234000000FF03FF00001800100401"),
	S(PROTO_SLMP, DIR_S2C, 16, "D4001234000000FF03FF0000080000"),
	S(PROTO_FINS, DIR_C2S, 12, "FINS\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	S(PROTO_FINS, DIR_S2C, 12,
	  "FINS\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x0a"),
	S(PROTO_FINS, DIR_C2S, 12,
	  "FINS\x00\x00\x00\x1a\x00\x00\x00\x02\x00\x00\x00\x00\x80\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00"
	  "\x00\x00\x00\x04"),
	S(PROTO_FINS, DIR_C2S, 12, "\x80\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00\x04"),
	S(PROTO_FINS, DIR_C2S, 12, "\x81\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00\x04"),
	S(PROTO_FINS, DIR_S2C, 12, "\xc0\x00\x02\x00\x19\x00\x00\x0a\x00\x01\x01\x01\x00\x00\x00\x00\x00\x00"),
	S(PROTO_FINS, DIR_C2S, 12, "\x80\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x15\x05"),
	S(PROTO_FINS, DIR_C2S, 12, "\x00\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00\x04"),
	S(PROTO_IEC104, DIR_C2S, 6, "\x68\x04\x07\0\0\0"),
	S(PROTO_IEC104, DIR_S2C, 6, "\x68\x04\x0b\0\0\0"),
	S(PROTO_IEC104, DIR_C2S, 6, "\x68\x04\x43\0\0\0"),
	S(PROTO_IEC104, DIR_S2C, 6, "\x68\x04\x01\0\xfe\xff"),
	S(PROTO_IEC104, DIR_C2S, 8, "\x68\x0e\x02\0\x08\0\x64\1\6\0\1\0\0\0\0\x14"),
	S(PROTO_IEC104, DIR_S2C, 8, "\x68\x0f\x02\0\x08\0\1\x82\3\0\1\0\1\0\0\0\1"),
	S(PROTO_MEMOBUS, DIR_C2S, 22, "\x11\1\0\0\0\0\x16\0\0\0\0\0\x08\0\x20\x09\x10\0\x64\0\2\0"),
	S(PROTO_MEMOBUS, DIR_C2S, 21, "\x11\1\0\0\0\0\x15\0\0\0\0\0\x07\0\x20\x03\x10\0\x64\0\2"),
	S(PROTO_MEMOBUS, DIR_C2S, 16, "\x11\1\0\0\0\0\x13\0\0\0\0\0\x05\0\x20\x50\x10\0\0"),
	S(PROTO_MEMOBUS, DIR_C2S, 12, "\x12\1\0\0\0\0\x10\0\0\0\0\0\1\2\3\4"),
	S(PROTO_MEMOBUS, DIR_S2C, 15, "\x19\1\0\0\0\0\x18\0\0\0\0\0\x0a\0\x20\x09\1\0\1\0\7\0\0\0"),
	S(PROTO_MEMOBUS, DIR_S2C, 15, "\x19\1\0\0\0\0\x12\0\0\0\0\0\x04\0\x43\xc9\1\2"),
	S(PROTO_DNP3, DIR_C2S, 10, "\x05\x64\x05\xc9\x0a\x00\x01\x00\xfe\xda"),
	S(PROTO_DNP3, DIR_S2C, 10, "\x05\x64\x05\x49\x01\x00\x0a\x00\xdb\x9b"),
	S(PROTO_DNP3, DIR_S2C, 10, "\x05\x64\x05\x0b\x01\x00\x0a\x00\x6d\xed"),
	S(PROTO_DNP3, DIR_C2S, 10,
	  "\x05\x64\x14\xc4\x0a\x00\x01\x00\x8f\xed\xc0\xc0\x01\x3c\x02\x06\x3c\x03\x06\x3c\x04\x06\x3c\x01\x06\x8a"
	  "\x51"),
	S(PROTO_DNP3, DIR_S2C, 10, "\x05\x64\x0a\x44\x01\x00\x0a\x00\x6e\x25\xc0\xc0\x81\x00\x00\x9c\xe8"),
	S(PROTO_DNP3, DIR_C2S, 10, "\x05\x64\x08\xf3\x0a\x00\x01\x00\x21\x19\xc0\xc0\x0d\x9c\x86"),
	S(PROTO_BACNET, DIR_C2S, 6, "\x81\x0a\0\x11\1\4\0\5\1\x0c\x0c\x02\x3f\xff\xff\x19\x4b"),
	S(PROTO_BACNET, DIR_S2C, 6, "\x81\x0a\0\x09\1\0\x20\1\x0f"),
	S(PROTO_BACNET, DIR_C2S, 6, "\x81\x0b\0\x0c\1\x20\xff\xff\0\xff\x10\x08"),
	S(PROTO_BACNET, DIR_C2S, 12, "\x81\4\0\x0e\x0a\x14\0\x63\xba\xc0\1\0\x10\x08"),
	S(PROTO_BACNET, DIR_C2S, 4, "\x81\5\0\6\0\x3c"),
	S(PROTO_BACNET, DIR_C2S, 4, "\x81\2\0\4"),
	S(PROTO_BACNET, DIR_S2C, 4, "\x81\3\0\x0e\x0a\x14\0\x63\xba\xc0\xff\xff\xff\xff"),
	S(PROTO_BACNET, DIR_S2C, 4, "\x81\0\0\6\0\x30"),
	S(PROTO_OPCUA, DIR_C2S, 8, "HELF\x2d\0\0\0\0\0\0\0\xff\xff\0\0\xff\xff\0\0"),
	S(PROTO_OPCUA, DIR_C2S, 8, "RHEF\x20\0\0\0\4\0\0\0urn:"),
	S(PROTO_OPCUA, DIR_S2C, 8, "ACKF\x1c\0\0\0\0\0\0\0\xff\xff\0\0"),
	S(PROTO_OPCUA, DIR_S2C, 8, "ERRF\x10\0\0\0\0\0\x7e\x80\0\0\0\0"),
	/* IXFR, NOTIFY with the new serial number, UPDATE; answers */
	S(PROTO_DNS, DIR_C2S, 14, "\x00\x40\x12\x34\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x03www"),
	S(PROTO_DNS, DIR_C2S, 14, "\x00\x40\x12\x34\x24\x00\x00\x01\x00\x01\x00\x00\x00\x00\x03www"),
	S(PROTO_DNS, DIR_C2S, 14, "\x00\x40\x12\x34\x28\x00\x00\x01\x00\x02\x00\x03\x00\x01\x03www"),
	S(PROTO_DNS, DIR_S2C, 14, "\x00\x40\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www"),
	H(PROTO_SSH, DIR_S2C, 1, "Access for staff only\r\nSSH-2.0-x\r\n"),
	H(PROTO_SSH, DIR_S2C, 3, "SSI gate\r\nSSH-2.0-x\r\n"),
	H(PROTO_FTP, DIR_S2C, 4, "220 (vsFTPd 3.0.3)\r\n"),
	H(PROTO_FTP, DIR_S2C, 4, "220-Welcome\r\n220 ready\r\n"),
	H(PROTO_FTP, DIR_S2C, 4, "120 in a moment\r\n"),
	H(PROTO_FTP, DIR_S2C, 4, "421 too many\r\n"),
	S(PROTO_FTP, DIR_C2S, 5, "SYST\r\n"),
	S(PROTO_FTP, DIR_C2S, 5, "pbsz 0\r\n"),
	S(PROTO_FTP, DIR_C2S, 5, "FEAT\r\n"),
	H(PROTO_SMTP, DIR_S2C, 4, "220 mail.example ESMTP\r\n"),
	H(PROTO_SMTP, DIR_S2C, 4, "554 no\r\n"),
	S(PROTO_SMTP, DIR_C2S, 5, "EHLO tos.example\r\n"),
	S(PROTO_SMTP, DIR_C2S, 5, "helo tos\r\n"),
	S(PROTO_POP3, DIR_S2C, 4, "+OK ready <1.2@x>\r\n"),
	S(PROTO_POP3, DIR_C2S, 5, "CAPA\r\n"),
	S(PROTO_POP3, DIR_C2S, 5, "APOP x c4c9334bac560ecc979e58001b3e22fb\r\n"),
	S(PROTO_IMAP, DIR_S2C, 5, "* OK [CAPABILITY IMAP4rev1] ready\r\n"),
	S(PROTO_IMAP, DIR_S2C, 10, "* PREAUTH x\r\n"),
	S(PROTO_IMAP, DIR_C2S, 16, "a001 CAPABILITY\r\n"),
	S(PROTO_IMAP, DIR_C2S, 8, "1 LOGIN smith sesame\r\n"),
	S(PROTO_TELNET, DIR_C2S, 3, "\xff\xfd\x03\xff\xfb\x18"),
	S(PROTO_TELNET, DIR_C2S, 5, "\xff\xf1\xff\xfd\x03"),
	S(PROTO_TELNET, DIR_S2C, 3, "\xff\xfd\x18\xff\xfd\x20"),
	S(PROTO_TELNET, DIR_S2C, 5, "\r\n\xff\xfb\x01login: "),
	S(PROTO_TELNET, DIR_S2C, 5, "\xff\xf1\xff\xfb\x01login: "),
	H(PROTO_TELNET, DIR_S2C, 8, "\r\nWelcome\r\nlogin: "),
	H(PROTO_TELNET, DIR_S2C, 8, "\r\0\r\nWelcome"),
	IF_GREETED(PROTO_TELNET, 5, "root\r\n"),
	IF_GREETED(PROTO_TELNET, 1, "\r\0"),
	IF_GREETED(PROTO_TELNET, 4, "ls -l"), /* no request of HTTP continues like this */
	IF_GREETED(PROTO_TELNET, 1, "(x"),
	S(PROTO_RTSP, DIR_C2S, 14, "DESCRIBE rtsp://10.1.1.1/cam RTSP/1.0\r\n"),
	S(PROTO_RTSP, DIR_C2S, 15, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n"),
	S(PROTO_RTSP, DIR_S2C, 7, "RTSP/1.0 200 OK\r\n"),
	S(PROTO_MQTT, DIR_C2S, 10, "\x10\x13\0\4MQTT\4\2\0\x3c\0\7crane-1"),
	S(PROTO_MQTT, DIR_C2S, 11, "\x10\x93\1\0\4MQTT\5\xc2\0\x3c\0\0\7crane-1"),
	S(PROTO_MQTT, DIR_C2S, 12, "\x10\x15\0\6MQIsdp\x83\2\0\x3c\0\7crane-1"),
	S(PROTO_MQTT, DIR_S2C, 4, "\x20\2\0\0"),
	S(PROTO_MQTT, DIR_S2C, 4, "\x20\x0b\1\0\x08\x22\0\x0a"),
	S(PROTO_MYSQL, DIR_S2C, 8,
	  "\x4a\0\0\0\x0a"
	  "8.0.36\0\x0b\0\0\0"),
	S(PROTO_MYSQL, DIR_S2C, 8,
	  "\x5d\0\0\0\x0a"
	  "5.5.5-10.11.6-MariaDB\0"),
	S(PROTO_MYSQL, DIR_S2C, 9,
	  "\x5d\0\0\0\x0a"
	  "11.4.2-MariaDB\0"),
	S(PROTO_MYSQL, DIR_S2C, 8, "\x46\0\0\0\xff\x6a\4Host '10.1.1.1' is not allowed"),
	S(PROTO_MYSQL, DIR_C2S, 32,
	  "\xb6\0\0\1\x85\xa2\xbf\1\0\0\0\1\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root"),
	S(PROTO_LDAP, DIR_C2S, 12,
	  "\x30\x1c\2\1\1\x60\x17\2\1\3\4\x0a"
	  "cn=manager\x80\6secret"),
	S(PROTO_LDAP, DIR_C2S, 21, "\x30\x84\0\0\0\x40\2\1\1\x63\x84\0\0\0\x37\4\x84\0\0\0\7dc=kita\x0a\1\2"),
	S(PROTO_LDAP, DIR_C2S, 10,
	  "\x30\x1d\2\1\1\x77\x18\x80\x16"
	  "1.3.6.1.4.1.1466.20037"),
	S(PROTO_LDAP, DIR_C2S, 7, "\x30\5\2\1\3\x42\0"),
	S(PROTO_LDAP, DIR_S2C, 10, "\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0"),
	S(PROTO_LDAP, DIR_S2C, 9,
	  "\x30\x14\2\1\2\x64\x0f\4\2"
	  "dc\x30\5"),
	S(PROTO_KERBEROS, DIR_C2S, 20, "\0\0\0\xb1\x6a\x81\xae\x30\x81\xab\xa1\3\2\1\5\xa2\3\2\1\x0a\xa3\x0e\x30"),
	S(PROTO_KERBEROS, DIR_C2S, 22, "\0\0\5\xc8\x6c\x82\5\xc4\x30\x82\5\xc0\xa1\3\2\1\5\xa2\3\2\1\x0c\xa3\x82"),
	S(PROTO_KERBEROS, DIR_S2C, 18, "\0\0\0\x6d\x7e\x6b\x30\x69\xa0\3\2\1\5\xa1\3\2\1\x1e\xa4"),
	S(PROTO_KERBEROS, DIR_C2S, 24, "\0\0\1\x10\1\x10\xff\x80\0\x80\x6e\x7e\x30\x7c\xa0\3\2\1\5\xa1\3\2\1\x0e\xa2"),
	S(PROTO_SYSLOG, DIR_C2S, 15, "Oct  1 22:14:15 tos su: x\n"),
	S(PROTO_SYSLOG, DIR_C2S, 22, "83 2026-08-01T22:14:15Z tos su - - - x"),
	S(PROTO_SYSLOG, DIR_C2S, 5, "<13>Oct 11 22:14:15 tos su: x\n"),
	S(PROTO_SYSLOG, DIR_C2S, 9, "83 <165>1 2026-08-01T22:14:15Z tos su - - - x"),
	S(PROTO_RDP, DIR_C2S, 15, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"),
	S(PROTO_RDP, DIR_C2S, 22, "\3\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=eltons\r\n\1\0\x08\0"),
	S(PROTO_RDP, DIR_C2S, 20, "\3\0\0\x0b\6\xe0\0\0\0\0\0\3\0\1\x9c\2\xf0\x80\x7f\x65\x82"),
	S(PROTO_RDP, DIR_S2C, 15, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0"),
	S(PROTO_RDP, DIR_S2C, 11, "\3\0\0\x0b\6\xd0\0\0\x12\x34\0"),
	S(PROTO_SMB, DIR_C2S, 21, "\0\0\0\x6c\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x1f\0\0\0\0\0"),
	S(PROTO_SMB, DIR_S2C, 21, "\0\0\1\x10\xfeSMB\x40\0\0\0\0\0\0\0\0\0\1\0\1\0\0\0"),
	H(PROTO_SMB, DIR_C2S, 40, "\0\0\0\x45\xffSMB\x72" DIALECTS "\0\x22\0\2NT LM 0.12\0\2SMB 2.???"),
	S(PROTO_NETBIOS, DIR_C2S, 37, "\x81\0\0\x44\x20" NAME32 "\0\x20" NAME32),
	S(PROTO_NETBIOS, DIR_S2C, 4, "\x82\0\0\0"),
	S(PROTO_NETBIOS, DIR_S2C, 5, "\x83\0\0\1\x82"),
	S(PROTO_VNC, DIR_S2C, 12, "RFB 003.008\n"),
	S(PROTO_VNC, DIR_C2S, 12, "RFB 003.889\n"),
	S(PROTO_MSSQL, DIR_C2S, 13, "\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1"),
	S(PROTO_MSSQL, DIR_C2S, 16, "\x10\1\0\xbe\0\0\1\0\xb6\0\0\0\4\0\0\x74\0\x10"),
	S(PROTO_MSSQL, DIR_S2C, 13, "\4\1\0\x2b\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1"),
	S(PROTO_ORACLE, DIR_C2S, 24,
	  "\0\xe9\0\0\1\0\0\0\1\x3a\1\x2c\x0c\x41\x20\0\xff\xff\x7f\x08\0\0\1\0\0\xa3\0\x46"),
	S(PROTO_ORACLE, DIR_S2C, 8, "\0\x08\0\0\x0b\0\0\0"),
	S(PROTO_ORACLE, DIR_S2C, 8, "\0\x20\0\0\2\0\0\0\1\x3a"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bytes head(const struct sample *s, size_t n)
{
	return bytes_of(s->bytes, n < RECOGNISE_MAX ? n : RECOGNISE_MAX);
}

/* Every prefix gives "more" until enough bytes are there, and the answer does not change
 * afterwards. */
static void prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct sample *s = &good[i];

		for (size_t n = 0; n <= s->n; n++) {
			enum recognition r = recognise(s->protocol, s->dir, head(s, n));
			enum recognition want = n >= s->needed ? s->is : RECOGNISE_MORE;

			if (r != want)
				fail_msg("sample %zu (%s), %zu bytes: %d", i, protocol_info(s->protocol)->name, n,
					 (int)r);
		}
		assert_int_equal(recognise_any(s->dir, head(s, s->n)), s->is == RECOGNISED ? s->protocol : PROTO_NONE);
	}
}

/* No sample is taken for another protocol in its direction. */
static void no_other_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (unsigned p = 1; p < PROTO_COUNT; p++)
			/* the servers of these protocols say little */
			/* asked last */
			if (p != good[i].protocol &&
			    !(p == PROTO_S7COMM_PLUS && good[i].protocol == PROTO_S7COMM && good[i].dir == DIR_S2C) &&
			    !(p == PROTO_MODBUS && good[i].protocol == PROTO_LDAP) &&
			    !(p == PROTO_ENIP && good[i].dir == DIR_S2C) &&
			    recognise((enum protocol)p, good[i].dir, head(&good[i], good[i].n)) == RECOGNISED)
				fail_msg("sample %zu (%s) is %s as well", i, protocol_info(good[i].protocol)->name,
					 protocol_info((enum protocol)p)->name);
}

/* Each of the deciding bytes counts: with a wrong value (any of the 255 others that the protocol
 * forbids) the answer changes. Here only the first byte is changed, which few protocols leave
 * free. */
static void first_byte_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t b[RECOGNISE_MAX];

		if (good[i].protocol == PROTO_MODBUS || good[i].protocol == PROTO_DNS ||
		    good[i].protocol == PROTO_MYSQL || good[i].protocol == PROTO_ORACLE ||
		    good[i].protocol == PROTO_IMAP || good[i].protocol == PROTO_TELNET)
			continue;
		memcpy(b, good[i].bytes, head(&good[i], good[i].n).left);
		b[0] ^= 0x40;
		if (recognise(good[i].protocol, good[i].dir, bytes_of(b, head(&good[i], good[i].n).left)) == RECOGNISED)
			fail_msg("sample %zu with another first byte", i);
	}
}

static void lies_in_fins(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_FINS, DIR_C2S, 0, "FIND"),
		/* too short */
		S(PROTO_FINS, DIR_C2S, 0, "FINS\0\0\0\x07\0\0\0\0"),
		/* no such command */
		S(PROTO_FINS, DIR_C2S, 0, "FINS\0\0\0\x10\0\0\0\4"),
		/* what a server says */
		S(PROTO_FINS, DIR_C2S, 0, "FINS\0\0\0\x10\0\0\0\6"),
		S(PROTO_FINS, DIR_C2S, 0,
		  "\xc0\x00\x02\x00\x19\x00\x00\x0a\x00\x01\x01\x01\x00\x00\x00\x00\x00"
		  "\x00"), /* an answer */
		S(PROTO_FINS, DIR_S2C, 0,
		  "\x80\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00"
		  "\x04"), /* a request */
		S(PROTO_FINS, DIR_C2S, 0,
		  "\x80\x00\x00\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00"
		  "\x04"), /* no gateway, though Modbus may have one */
		S(PROTO_FINS, DIR_C2S, 0,
		  "\x80\x00\x08\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00"
		  "\x04"), /* too many gateways */
		S(PROTO_FINS, DIR_C2S, 0,
		  "\x80\x00\x02\x80\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00"
		  "\x04"), /* no such network */
		S(PROTO_FINS, DIR_C2S, 0,
		  "\x84\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x01\x01\x82\x00\x00\x00\x00"
		  "\x04"), /* reserved */
		/* no command */
		S(PROTO_FINS, DIR_C2S, 0, "\x80\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x30\x01"),
		/* an unknown command */
		S(PROTO_FINS, DIR_C2S, 0, "\x00\x00\x02\x00\x0a\x00\x00\x19\x00\x01\x15\x05"),
		/* Modbus */
		S(PROTO_FINS, DIR_C2S, 0, "\x80\x00\x00\x00\x00\x06\x01\x06\x00\x00\x01\x01"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_FINS, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

/* Other beginnings, control octets that do not exist or not with this length, wrong checksums. */
static void lies_in_dnp3(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x65\x05"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x04"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x05\xc4"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x06\xc9"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x05\xd9"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x06\x80"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x05\xc1"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x06\x64\x05\xc9"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x05\xc9\x0a\x00\x01\x00\xfe\x00"),
		S(PROTO_DNP3, DIR_C2S, 0, "\x05\x64\x05\xc9\x0a\x00\x01\x00\x00\x00"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_DNP3, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

/* IPv6, unknown functions, lengths that do not fit the function, NetBIOS, another version, reserved
 * bits. */
static void lies_in_bacnet(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_BACNET, DIR_C2S, 0, "\x82\x0a\0\x11\1\4"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\x0d"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\x0a\0\3"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\x0a\5\xe4"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\1\0\6"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\2\0\6"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\5\0\4"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\x0a\0\x11\2\4"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\x0a\0\x11\1\x14"),
		S(PROTO_BACNET, DIR_C2S, 0, "\x81\4\0\x11\0\0\0\0\0\0\0\4"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_BACNET, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

/* Text that begins with h; IEC 60870-5-101 with shorter fields, and what the other end says. */
static void lies_in_iec104(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_IEC104, DIR_C2S, 0, "helo tos.test"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x03\x07\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\xfe\0\0\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x05\x07\0\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x04\x07\0\1\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x04\x03\0\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x04\x0b\0\0\0"),
		S(PROTO_IEC104, DIR_S2C, 0, "\x68\x04\x07\0\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x04\x01\0\1\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x04\0\0\0\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0e\0\0\1\0\x64\1"),
		/* an address of only 2 bytes */
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0d\0\0\0\0\x64\1"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0f\0\0\0\0\x64\1"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0e\0\0\0\0\x64\0"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0e\0\0\0\0\x63\1"),
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x0e\0\0\0\0\1\1"), /* what a server sends */
		S(PROTO_IEC104, DIR_C2S, 0, "\x68\x09\x09\x68\x53\1\1"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_IEC104, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

/* Messages of the other end, lengths that do not fit, bytes that are never used, MEMOBUS/RTU and
 * ASCII mode. */
static void lies_in_memobus(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_MEMOBUS, DIR_S2C, 0, "\x11\1\0\0\0\0\x16\0\0\0\0\0\x08\0\x20\x09\x10\0\x64\0\2\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x19\1\0\0\0\0\x18\0\0\0\0\0\x0a\0\x20\x09\1\0\1\0\7\0\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x16\0\0\0\0\0\x09\0\x20\x09\x10\0\x64\0\2\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x17\0\0\0\0\0\x09\0\x20\x09\x10\0\x64\0\2\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\1\0\x16\0\0\0\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x16\0\0\0\0\1"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x10\0\0\0\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x0d\x10\0\0\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x11\1\0\0\0\0\x16\0\0\0\0\0\x08\0\x21\x09\x10"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x12\1\0\0\0\0\x0c\0\0\0\0\0"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "\x01\x03\0\0\0\2\xc4\x0b"),
		S(PROTO_MEMOBUS, DIR_C2S, 0, "110100000000160000000000"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_MEMOBUS, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

/* Text, sizes that no hello has, messages of the other end, messages that do not come first. */
static void lies_in_opcua(void **state)
{
	static const struct sample bad[] = {
		S(PROTO_OPCUA, DIR_C2S, 0, "HELO tos.test"),  S(PROTO_OPCUA, DIR_C2S, 0, "HELF \0\0\1"),
		S(PROTO_OPCUA, DIR_C2S, 0, "HELF\x1f\0\0\0"), S(PROTO_OPCUA, DIR_C2S, 0, "HELF\x21\x10\0\0"),
		S(PROTO_OPCUA, DIR_C2S, 0, "HELC\x2d\0\0\0"), S(PROTO_OPCUA, DIR_C2S, 0, "ACKF\x1c\0\0\0"),
		S(PROTO_OPCUA, DIR_C2S, 0, "MSGF\x2d\0\0\0"), S(PROTO_OPCUA, DIR_C2S, 0, "OPNF\x84\0\0\0"),
		S(PROTO_OPCUA, DIR_S2C, 0, "HELF\x2d\0\0\0"), S(PROTO_OPCUA, DIR_S2C, 0, "ACKF\x1d\0\0\0"),
		S(PROTO_OPCUA, DIR_S2C, 0, "ERRF\x0f\0\0\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(PROTO_OPCUA, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("sample %zu", i);
}

static void lies(void **state)
{
	static const struct sample bad[] = {
		/* empty record */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x00\x00\x01\x00\x01\xfc\x03\x03"),
		/* record above 16 kB */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x50\x00\x01\x00\x01\xfc\x03\x03"),
		/* a server's hello */
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x03\x01\x02\x00\x02\x00\x01\xfc\x03\x03"),
		/* data first */
		S(PROTO_TLS, DIR_C2S, 0, "\x17\x03\x03\x02\x00\x01\x00\x01\xfc\x03\x03"),
		/* a client's alert */
		S(PROTO_TLS, DIR_C2S, 0, "\x15\x03\x03\x00\x02\x02\x28"),
		S(PROTO_TLS, DIR_C2S, 0, "\x16\x02\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		S(PROTO_SSH, DIR_C2S, 0, "SSH-1.5-old\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "OPTIONS sip:a@b SIP/2.0\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "GET(1) / HTTP/1.1\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "OPTIONS * RTSP/1.0\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "GET rtsp://x/ RTSP/1.0\r\n"),
		S(PROTO_HTTP, DIR_C2S, 0, "USER root\r\n"),
		S(PROTO_HTTP, DIR_S2C, 0, "\0\0\x11\4\0\0\0\0\0"), /* only a third of a setting */
		S(PROTO_RTSP, DIR_C2S, 0, "GET / HTTP/1.1\r\n"),
		S(PROTO_HTTP, DIR_S2C, 0, "ICY 200 OK\r\n"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x09\x04\xd2\x16\x2f\x00"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x07\x04\xd2\x16\x2f"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x08\x00\x03\x00\x00"),
		S(PROTO_POSTGRESQL, DIR_C2S, 0, "\x00\x00\x00\x54\x00\x02\x00\x00user"),
		S(PROTO_POSTGRESQL, DIR_S2C, 0, "Sx"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x01\x00\x06\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x01\x06\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x00\x01\x01\x03"),
		S(PROTO_MODBUS, DIR_C2S, 0, "\x00\x01\x00\x00\x00\x06\x01\x83"),
		/* an answered request */
		S(PROTO_S7COMM, DIR_C2S, 0, "\x03\x00\x00\x16\x11\xe0\x00\x01"),
		/* class 4 */
		S(PROTO_S7COMM, DIR_C2S, 0, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x07\x40\xc1"),
		S(PROTO_S7COMM, DIR_C2S, 0,
		  "\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00"
		  "Cookie"), /* RDP */
		/* a request */
		S(PROTO_S7COMM, DIR_S2C, 0, "\x03\x00\x00\x16\x11\xe0\x00\x00"),
		/* S7comm */
		S(PROTO_S7COMM_PLUS, DIR_C2S, 0, S7_CONNECTS "\3\0\0\x19\2\xf0\x80\x32"),
		S(PROTO_S7COMM_PLUS, DIR_C2S, 0, S7_CONNECTS "\3\0\0\xbb\2\xf0\x80\x0d"), /* MMS */
		S(PROTO_SLMP, DIR_C2S, 0, "\x50\x01\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x50\x00\x00\xff\xff\x03\x00\x0c\x11"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x51\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\x54\x00\x34\x12\x00\x01\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "\xd0\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_S2C, 0, "\x50\x00\x00\xff\xff\x03\x00\x0c\x00"),
		S(PROTO_SLMP, DIR_C2S, 0, "500000FF03FFXX00"),
		S(PROTO_SLMP, DIR_C2S, 0, "500000ff03ff0000"),
		S(PROTO_SLMP, DIR_C2S, 0, "68000000000000ff"),
		/* shorter than any question */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x10\x12\x34\x01\x00\x00\x01"),
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x81\x00\x00\x01"), /* an answer */
		/* an operation that does not exist */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x31\x00\x00\x01"),
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x01\x00\x00\x02"),
		S(PROTO_DNS, DIR_C2S, 0, "HS\0\0\1\0\0\1\0\0\0\0\0\0\0\7hislip0"), /* HiSLIP */
		S(PROTO_DNS, DIR_C2S, 0, "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x01"),
		S(PROTO_DNS, DIR_S2C, 0, "\x00\x1d\x12\x34\x01\x00\x00\x01"), /* a question */
		S(PROTO_SSH, DIR_S2C, 0, "SSH-1.5-old\r\n"),
		S(PROTO_SSH, DIR_S2C, 0, "\xff\0"),
		S(PROTO_FTP, DIR_C2S, 0, "EHLO x\r\n"),
		S(PROTO_FTP, DIR_C2S, 0, "USERS\r\n"),
		S(PROTO_FTP, DIR_S2C, 0, "230 in\r\n"),
		S(PROTO_SMTP, DIR_C2S, 0, "USER x\r\n"),
		S(PROTO_SMTP, DIR_C2S, 0, "MAIL FROM:<>\r\n"),
		S(PROTO_SMTP, DIR_S2C, 0, "120 x\r\n"),
		S(PROTO_POP3, DIR_C2S, 0, "EHLO x\r\n"),
		S(PROTO_IMAP, DIR_C2S, 0, "a001 EHLO\r\n"),
		S(PROTO_IMAP, DIR_S2C, 0, "* 3 EXISTS\r\n"),
		S(PROTO_TELNET, DIR_C2S, 0, "GET / HTTP/1.1\r\n"),
		S(PROTO_TELNET, DIR_C2S, 0, "SSH-2.0-x\r\n"),
		S(PROTO_TELNET, DIR_C2S, 0, "\x16\3\1"),
		S(PROTO_TELNET, DIR_C2S, 0, "\xff\xfd\x50"), /* no such option */
		S(PROTO_TELNET, DIR_S2C, 0, "220 (vsFTPd 3.0.3)\r\n"),
		S(PROTO_TELNET, DIR_S2C, 0, "SSH-2.0-x\r\n"),
		S(PROTO_TELNET, DIR_S2C, 0, "@RSYNCD: 31.0\n"),
		S(PROTO_TELNET, DIR_C2S, 0, "@RSYNCD: 31.0\n"),
		S(PROTO_TELNET, DIR_S2C, 0, "200 news.example InterNetNews\r\n"),
		S(PROTO_TELNET, DIR_S2C, 0, "*KISMET: 0.0.0 1124149149\n"),
		S(PROTO_TELNET, DIR_S2C, 0, "J\0\0\0\n8.0.36\0"), /* MySQL */
		S(PROTO_TELNET, DIR_C2S, 0, "e\0\4\0\0\0\0\0"),	  /* EtherNet/IP */
		S(PROTO_TELNET, DIR_S2C, 0, "o\0\x14\0\0\0\0\0"),
		S(PROTO_MQTT, DIR_C2S, 0, "\x10\x13\0\4MQTX"),
		S(PROTO_MQTT, DIR_C2S, 0, "\x10\x02\0\4"),
		S(PROTO_MQTT, DIR_C2S, 0, "\x10\x13\0\4MQTT\3"),
		S(PROTO_MQTT, DIR_C2S, 0, "\x10\x13\0\4MQTT\4\3"),
		S(PROTO_MQTT, DIR_S2C, 0, "\x20\2\2\0"),
		S(PROTO_MYSQL, DIR_C2S, 0, "\x4a\0\0\0"),
		S(PROTO_MYSQL, DIR_C2S, 0, "\x4a\0\0\1\x85\xa0"), /* before 4.1 */
		S(PROTO_MYSQL, DIR_S2C, 0, "\x4a\0\0\0\x0b"),
		/* longer than the element that contains it */
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x1c\2\1\1\x60\x18\2"),
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x0c\2\1\1\x61\7\x0a"), /* an answer */
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x1c\2\1\0\x60"),
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x1c\2\1\1\x60\x17\2\1\4"),
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x26\2\1\1\4\6public"), /* SNMP */
		/* one byte more than there is */
		S(PROTO_KERBEROS, DIR_C2S, 0, "\0\0\0\xb2\x6a\x81\xae"),
		S(PROTO_KERBEROS, DIR_C2S, 0, "\0\0\0\x6d\x7e\x6b\x30\x69\xa0"),
		S(PROTO_KERBEROS, DIR_C2S, 0, "\0\0\0\xb1\x6a\x81\xae\x30\x81\xab\xa1\3\2\1\4"),
		S(PROTO_SYSLOG, DIR_C2S, 0, "<192>x"),
		S(PROTO_SYSLOG, DIR_C2S, 0, "083 <13>x"),
		S(PROTO_SYSLOG, DIR_C2S, 0, "83 x"),
		S(PROTO_SYSLOG, DIR_S2C, 0, "<13>x"),
		/* S7 */
		S(PROTO_RDP, DIR_C2S, 0, "\3\0\0\x16\x11\xe0\0\0\0\7\0\xc1\2\1\0\xc2"),
		/* S7 behind it */
		S(PROTO_RDP, DIR_C2S, 0, "\3\0\0\x0b\6\xe0\0\0\0\0\0\3\0\0\x19\2\xf0\x80\x32"),
		S(PROTO_RDP, DIR_C2S, 0, "\3\0\0\x13\6\xe0"),
		/* begins with a login */
		S(PROTO_SMB, DIR_C2S, 0, "\0\0\0\x6c\xfeSMB\x40\0\0\0\0\0\0\0\1\0"),
		S(PROTO_SMB, DIR_C2S, 0, "\0\0\0\x45\xffSMB\x73"),
		/* the server answers in version 1 */
		S(PROTO_SMB, DIR_S2C, 0, "\0\0\0\x45\xffSMB\x72"),
		/* asks */
		S(PROTO_SMB, DIR_S2C, 0, "\0\0\0\x6c\xfeSMB\x40\0\0\0\0\0\0\0\0\0\1\0\0"),
		S(PROTO_NETBIOS, DIR_C2S, 0,
		  "\x81\0\0\x44\x20"
		  "a"),
		S(PROTO_NETBIOS, DIR_S2C, 0, "\x83\0\0\1\x20"),
		S(PROTO_VNC, DIR_S2C, 0, "RFB 3.8\n"),
		S(PROTO_MSSQL, DIR_C2S, 0, "\x12\1\0\x2f\0\0\1\0\1"),
		S(PROTO_MSSQL, DIR_S2C, 0, "\4\1\0\x2b\0\0\1\0\1"),
		S(PROTO_ORACLE, DIR_C2S, 0, "\0\xe9\0\0\2\0\0\0"),
		S(PROTO_ORACLE, DIR_C2S, 0, "\0\xe9\0\0\1\0\0\0\0\x10"),
		S(PROTO_ORACLE, DIR_S2C, 0, "\0\xe9\0\0\1\0\0\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (recognise(bad[i].protocol, bad[i].dir, head(&bad[i], bad[i].n)) != RECOGNISE_NOT)
			fail_msg("lie %zu was believed, %s", i, protocol_info(bad[i].protocol)->name);
}

/* An answer other than "more" does not change when more bytes come, for every protocol and random
 * bytes. */
static void answers_stay(const uint8_t *b, size_t n, const char *what)
{
	for (unsigned p = 1; p < PROTO_COUNT; p++)
		for (unsigned dir = 0; dir < 2; dir++) {
			enum recognition first = RECOGNISE_MORE;

			for (size_t k = 1; k <= n; k++) {
				/* A copy of exactly this size, so that a sanitizer sees a read
				 * beyond it. */
				uint8_t *exact = malloc(k);
				enum recognition r;

				assert_non_null(exact);
				memcpy(exact, b, k);
				r = recognise((enum protocol)p, (enum direction)dir, bytes_of(exact, k));
				free(exact);
				/* The single byte of PostgreSQL's answer is only an answer if
				 * nothing follows. */
				if (first != RECOGNISE_MORE && r != first && p != PROTO_POSTGRESQL && p != PROTO_ENIP)
					fail_msg("%s: %s said %d, and after %zu bytes %d", what,
						 protocol_info((enum protocol)p)->name, (int)first, k, (int)r);
				first = r;
			}
		}
}

static void no_answer_is_taken_back(void **state)
{
	uint64_t x = 0x9e3779b97f4a7c15u; /* fixed: the same bytes every time */
	uint8_t b[RECOGNISE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t n = head(&good[i], good[i].n).left;

		for (unsigned round = 0; round < 40; round++) {
			memcpy(b, good[i].bytes, n);
			for (size_t k = n; k < sizeof(b); k++)
				b[k] = (uint8_t)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
			for (unsigned change = 0; change < round % 4; change++) {
				x = x * 6364136223846793005u + 1442695040888963407u;
				b[(x >> 33) % n] = (uint8_t)(x >> 48);
			}
			answers_stay(b, sizeof(b), "a sample");
		}
	}
	for (unsigned round = 0; round < 3000; round++) {
		for (size_t k = 0; k < sizeof(b); k++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			b[k] = round % 3 == 0	? (uint8_t)(x >> 56)
			       : round % 3 == 1 ? (uint8_t)(" \r\nABEHLOPRSTUX/*+-0123<>"[(x >> 40) % 25])
						: (uint8_t)((x >> 56) & ((x >> 50) % 3 ? 0 : 255));
		}
		answers_stay(b, sizeof(b), "drawn bytes");
	}
}

/* Servers differ in where they see the end of such header lines. */
static void ambiguous_headers(void **state)
{
	static const char plain[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n body of its own";

	(void)state;
	static const struct {
		enum head_step step;
		const char *text;
		size_t n;
	} cases[] = {
		{ HEAD_WHOLE, plain, sizeof(plain) },
		{ HEAD_GOES_ON, "GET / HTTP/1.1\r\nHost: a\r\n", 25 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\nHost: a\r\n\r\n", 26 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\n\n", 22 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\r\n\r\r\n", 26 },
		{ HEAD_AMBIGUOUS, "GET / HTTP/1.1\r\nA: b\rC: d\r\n", 27 },
	};
	static char line[1000];
	struct head h;

	/* In every division into two pieces. */
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 0; cut <= cases[i].n; cut++) {
			enum head_step s;

			h = (struct head){ .n = 0 };
			s = recognise_head(PROTO_HTTP, DIR_C2S, &h, bytes_of(cases[i].text, cut));
			if (s != HEAD_AMBIGUOUS)
				s = recognise_head(PROTO_HTTP, DIR_C2S, &h,
						   bytes_of(cases[i].text + cut, cases[i].n - cut));
			if (s != cases[i].step)
				fail_msg("case %zu, cut at %zu: %d", i, cut, (int)s);
		}
	h = (struct head){ .n = 0 };
	assert_int_equal(recognise_head(PROTO_TLS, DIR_C2S, &h, bytes_of("\0\n", 2)), HEAD_WHOLE);
	memset(line, 'a', sizeof(line));
	h = (struct head){ .n = 0 };
	for (unsigned n = 0; n < HEAD_MAX / sizeof(line); n++)
		assert_int_equal(recognise_head(PROTO_HTTP, DIR_C2S, &h, bytes_of(line, sizeof(line))), HEAD_GOES_ON);
	assert_int_equal(recognise_head(PROTO_HTTP, DIR_C2S, &h, bytes_of(line, sizeof(line))), HEAD_AMBIGUOUS);
}

/* A direction's header, cut at every byte. */
static void head_says(enum protocol p, enum direction dir, const char *text, enum head_step want)
{
	size_t n = strlen(text);

	for (size_t cut = 0; cut <= n; cut++) {
		struct head h = { .n = 0 };

		recognise_head(p, dir, &h, bytes_of(text, cut));
		if (recognise_head(p, dir, &h, bytes_of(text + cut, n - cut)) != want)
			fail_msg("\"%s\", cut at %zu", text, cut);
	}
}

static void lines_before_ssh(void **state)
{
	(void)state;
	head_says(PROTO_SSH, DIR_S2C, "SSH-2.0-x\r\n", HEAD_WHOLE);
	head_says(PROTO_SSH, DIR_S2C, "staff only\r\nSSH\nSSH-1.99-x\r\n", HEAD_WHOLE);
	head_says(PROTO_SSH, DIR_S2C, "staff only, SSH-2.0-x\r\nmore", HEAD_GOES_ON);
	head_says(PROTO_SSH, DIR_S2C, "\r\n\r\nSSH-2.0-", HEAD_WHOLE);
	head_says(PROTO_SSH, DIR_S2C, "x\r\nSSH-1.5-x", HEAD_AMBIGUOUS);
	head_says(PROTO_SSH, DIR_S2C, "x\r\n\1", HEAD_AMBIGUOUS);
	head_says(PROTO_SSH, DIR_C2S, "anything", HEAD_WHOLE);
}

static void versions_of_http(void **state)
{
	(void)state;
	head_says(PROTO_HTTP, DIR_C2S, "GET / HTTP/1.0\r\n\r\n", HEAD_WHOLE);
	head_says(PROTO_HTTP, DIR_C2S, "PRI * HTTP/2.0\r\n\r\n", HEAD_WHOLE);
	head_says(PROTO_HTTP, DIR_C2S, "GET /a HTTP/1.1 HTTP/1.1\r\nA: b\r\n\r\n", HEAD_WHOLE);
	head_says(PROTO_HTTP, DIR_C2S, "\r\nGET / HTTP/1.1\r\n\r\n", HEAD_WHOLE);
	head_says(PROTO_HTTP, DIR_C2S, "\r\n\r\nGET / HTTP/1.1\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "\nGET / HTTP/1.1\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "\rGET / HTTP/1.1\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "GET /\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "PLAY /a RTSP/1.0\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "GET / HTTP/1.\r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_C2S, "GET / HTTP/1.1 \r\n\r\n", HEAD_AMBIGUOUS);
	head_says(PROTO_HTTP, DIR_S2C, "anything", HEAD_WHOLE);
}

#define QUESTION "\3www\7example\0\0\1\0\1"
#define NTP_REST "\0\6\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe5\1\2\3\4\5\6\7"

#define DIGEST "0123456789abcdef"

static void datagrams(void **state)
{
	static const struct sample list[] = {
		S(PROTO_DNS, DIR_C2S, 1, "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION),
		S(PROTO_DNS, DIR_C2S, 1, "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\x10\0\0\0\0\0\0\0"),
		S(PROTO_DNS, DIR_C2S, 1, "\x12\x34\x24\0\0\1\0\1\0\0\0\0" QUESTION),
		S(PROTO_DNS, DIR_S2C, 1, "\x12\x34\xa4\0\0\1\0\0\0\0\0\0" QUESTION),
		/* the server could not read the question */
		S(PROTO_DNS, DIR_S2C, 1, "\x12\x34\x80\1\0\0\0\0\0\0\0\0"),
		S(PROTO_DNS, DIR_C2S, 0, "\x12\x34\1\0\0\2\0\0\0\0\0\0" QUESTION),
		S(PROTO_DNS, DIR_C2S, 0, "\x12\x34\1\0\0\1\0\0\0\0\0\0\x43www"),
		/* a question is not an answer */
		S(PROTO_DNS, DIR_S2C, 0, "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION),
		S(PROTO_NTP, DIR_C2S, 1, "\x23" NTP_REST), S(PROTO_NTP, DIR_S2C, 1, "\x24" NTP_REST),
		/* version 5 */
		S(PROTO_NTP, DIR_C2S, 1, "\x0b" NTP_REST), S(PROTO_NTP, DIR_C2S, 1, "\x2b" NTP_REST),
		/* RFC 958 */
		S(PROTO_NTP, DIR_C2S, 1, "\0" NTP_REST),
		/* broadcast */
		S(PROTO_NTP, DIR_S2C, 1, "\x25" NTP_REST), S(PROTO_NTP, DIR_C2S, 1, "\x16\2\0\1\0\0\0\0\0\0\0\0"),
		S(PROTO_NTP, DIR_S2C, 1, "\x16\x82\0\1\0\0\0\0\0\0\0\4abcd"),
		S(PROTO_NTP, DIR_C2S, 1, "\xd6\2\0\1\0\0\0\0\0\0\0\0"), /* NTPsec's ntpq */
		S(PROTO_NTP, DIR_S2C, 1, "\xd6\x82\0\1\0\0\0\0\0\0\0\4abcd"),
		S(PROTO_NTP, DIR_C2S, 0, "\x56\2\0\1\0\0\0\0\0\0\0\0"),
		S(PROTO_NTP, DIR_S2C, 0, "\x16\2\0\1\0\0\0\0\0\0\0\0"),
		S(PROTO_NTP, DIR_C2S, 0, "\x16\2\0\1\0\0\0\0\0\0\0\1"),
		S(PROTO_NTP, DIR_C2S, 0, "\x17" NTP_REST), /* private */
		S(PROTO_NTP, DIR_C2S, 0, "\x24" NTP_REST), S(PROTO_NTP, DIR_C2S, 0, "\x33" NTP_REST),
		S(PROTO_NTP, DIR_C2S, 0, "\x23\0\6\xec"), S(PROTO_NTP, DIR_C2S, 1, "\x23" NTP_REST "\0\0\0\1" DIGEST),
		S(PROTO_NTP, DIR_C2S, 1,
		  "\x23" NTP_REST "\1\4\0\x10"
		  "abcdefghijkl"),
		S(PROTO_NTP, DIR_C2S, 1, "\x16\2\0\1\0\0\0\0\0\0\0\0\0\0\0\1" DIGEST),
		S(PROTO_NTP, DIR_C2S, 0, "\x23" NTP_REST "\0\0\0\1abcdef"),
		S(PROTO_NTP, DIR_C2S, 0,
		  "\x11\x02"
		  "\x40\1\x0a\0\0\1\0\x8a\0\xbb\0\0" DIGEST DIGEST DIGEST),	       /* NetBIOS */
		S(PROTO_NTP, DIR_C2S, 0, "\x08\0\0\0\0\0\x7b\0" DIGEST DIGEST DIGEST), /* VXLAN */
		S(PROTO_NTP, DIR_C2S, 0, "\x16\1\1\0\0\1\0\0\0\0\0\0" QUESTION),       /* DNS */
		S(PROTO_NTP, DIR_C2S, 0,
		  "\xce\0\0\0\1\x08"
		  "12345678\0\0\x44\x90"),				/* QUIC */
		S(PROTO_NTP, DIR_C2S, 0, "\x16\0\0\1\0\0\0\0\0\0\0\0"), /* no operation */
		S(PROTO_NTP, DIR_C2S, 0, "\x16\2\0\1\0\0\0\0\0\0\0\0x"),
		S(PROTO_DNS, DIR_C2S, 1,
		  "\x12\x34\1\0\0\0\0\0\0\0\0\1\0\0\x29\x10\0\0\0\0\0\0\x0c\0\x0a\0\x08"
		  "12345678"),
		S(PROTO_DNS, DIR_C2S, 0, "\x12\x34\1\0\0\0\0\0\0\0\0\0"),
		S(PROTO_DNS, DIR_C2S, 0, "\x12\x34\1\0\0\0\0\0\0\0\0\1\0\0\1\0\1"),
		S(PROTO_SNMP, DIR_C2S, 1,
		  "\x30\x26\2\1\1\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"),
		S(PROTO_SNMP, DIR_C2S, 0,
		  "\x30\x26\2\1\1\4\6public\xa2\x19\2\1\1\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"),
		S(PROTO_SNMP, DIR_C2S, 1, "\x30\x17\2\1\3\x30\x0d\2\1\1\2\2\5\xdc\4\1\4\2\1\3\4\0\x30\1x"),
		S(PROTO_SNMP, DIR_C2S, 0, "\x30\x17\2\1\3\x30\x0d\2\1\1\2\2\5\xdc\4\1\4\2\1\3\4\0\x30\1xx"),
		S(PROTO_SYSLOG, DIR_C2S, 1, "<13>x"),
		S(PROTO_SYSLOG, DIR_C2S, 1, "<165>1 2026-08-01T22:14:15Z tos su - - - x\n\0"),
		S(PROTO_SYSLOG, DIR_C2S, 0, "<13>x\0y"), S(PROTO_SYSLOG, DIR_C2S, 0, "13>x"),
		S(PROTO_SYSLOG, DIR_C2S, 1, "Jan 31 00:00:00 tos x"), S(PROTO_SYSLOG, DIR_C2S, 0, "Jan 31 tos x"),
		S(PROTO_SYSLOG, DIR_C2S, 0, "tos su: x"),
		S(PROTO_LDAP, DIR_C2S, 1, "\x30\x0c\2\1\1\x63\7\4\0\x0a\1\0\x0a\1"),
		S(PROTO_LDAP, DIR_C2S, 0, "\x30\x0c\2\1\1\x63\7\4\0\x0a\1\0\x0a\1x"),
		S(PROTO_LDAP, DIR_S2C, 1, "\x30\x09\2\1\1\x64\4\4\0\x30\0\x30\x0c\2\1\1\x65\7\x0a\1\0\4\0\4\0"),
		S(PROTO_LDAP, DIR_S2C, 0, "\x30\x09\2\1\1\x64\4\4\0\x30\0\x30"),
		S(PROTO_KERBEROS, DIR_C2S, 1, "\x6a\x0e\x30\x0c\xa1\3\2\1\5\xa2\3\2\1\x0a\xa3\0"),
		S(PROTO_KERBEROS, DIR_C2S, 0, "\x6a\x0e\x30\x0c\xa1\3\2\1\5\xa2\3\2\1\x0a\xa3\0x"),
		S(PROTO_KERBEROS, DIR_S2C, 1, "\x7e\x0e\x30\x0c\xa0\3\2\1\5\xa1\3\2\1\x1e\xa4\0"),
		S(PROTO_KERBEROS, DIR_C2S, 1, "\0\x16\0\1\0\x10\x6e\x0e\x30\x0c\xa0\3\2\1\5\xa1\3\2\1\x0e\xa2\0"),
		S(PROTO_TLS, DIR_C2S, 0, "\x16\3\1\2\0\1\0\1\xfc\3\3"), /* TLS has no datagrams */
	};
	static uint8_t quic[1200] = "\xc3\0\0\0\1\x08"
				    "12345678\0\0\x44\x90";

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++)
		if (recognise_datagram(list[i].protocol, list[i].dir, bytes_of(list[i].bytes, list[i].n)) !=
		    (list[i].needed > 0))
			fail_msg("datagram %zu", i);
	/* A message without its end is not recognised, except text. */
	for (size_t i = 0; i < COUNT(list); i++)
		for (size_t n = 0; n < list[i].n && list[i].protocol != PROTO_SYSLOG && list[i].protocol != PROTO_NTP &&
				   list[i].protocol != PROTO_DNS;
		     n++)
			/* 11 bytes are a whole entry of LDAP, without the end of the search */
			if (list[i].needed > 0 && n != 11 &&
			    recognise_datagram(list[i].protocol, list[i].dir, bytes_of(list[i].bytes, n)))
				fail_msg("datagram %zu, %zu bytes", i, n);
	assert_true(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, sizeof(quic))));
	assert_false(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, sizeof(quic) - 1)));
	assert_true(recognise_datagram(PROTO_QUIC, DIR_S2C, bytes_of(quic, 100)));
	quic[0] = 0xd3; /* 0-RTT has no token: at this place its length would be 0 */
	assert_false(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, sizeof(quic))));
	quic[15] = 20;
	assert_true(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, 36)));
	assert_false(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, 35)));
	quic[15] = 0;
	quic[0] = 0xc3;
	memcpy(quic + 1, "\x1a\x2a\xfa\x0a", 4); /* a version that does not exist yet */
	assert_true(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, sizeof(quic))));
	memcpy(quic + 1, "Q043", 4);
	assert_false(recognise_datagram(PROTO_QUIC, DIR_C2S, bytes_of(quic, sizeof(quic))));
}

static void single_answer_byte_of_postgresql(void **state)
{
	(void)state;
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("S", 1)), RECOGNISED);
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("N", 1)), RECOGNISED);
	assert_int_equal(recognise(PROTO_POSTGRESQL, DIR_S2C, bytes_of("X", 1)), RECOGNISE_NOT);
	/* One letter is an answer to a question, not a signature. */
	assert_int_equal(recognise_any(DIR_S2C, bytes_of("S", 1)), PROTO_NONE);
}

/* The connection request does not show which protocol follows. */
static void s7comm_plus_by_its_number(void **state)
{
	static const char b[] = S7_CONNECTS "\3\0\0\x19\2\xf0\x80\x72";

	(void)state;
	for (size_t n = 1; n < sizeof(b); n++)
		assert_int_equal(recognise(PROTO_S7COMM_PLUS, DIR_C2S, bytes_of(b, n)),
				 n == sizeof(b) - 1 ? RECOGNISED : RECOGNISE_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(no_other_name),
		cmocka_unit_test(first_byte_decides),
		cmocka_unit_test(lies),
		cmocka_unit_test(lies_in_fins),
		cmocka_unit_test(lies_in_iec104),
		cmocka_unit_test(lies_in_memobus),
		cmocka_unit_test(lies_in_dnp3),
		cmocka_unit_test(lies_in_opcua),
		cmocka_unit_test(lies_in_bacnet),
		cmocka_unit_test(no_answer_is_taken_back),
		cmocka_unit_test(lines_before_ssh),
		cmocka_unit_test(versions_of_http),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(ambiguous_headers),
		cmocka_unit_test(s7comm_plus_by_its_number),
		cmocka_unit_test(single_answer_byte_of_postgresql),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
