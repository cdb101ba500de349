/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises databases: PostgreSQL, MySQL and MariaDB, SQL Server, Oracle. */
#include "dpi/prefix.h"

#define PG_CANCEL 80877102u
#define PG_SSL 80877103u
#define PG_GSS 80877104u
#define PG_VERSION_3 196608u

/* A client's first message: length and code. Messages of fixed length must have exactly that
 * length. */
static enum recognition postgresql_client(struct bytes head)
{
	struct bytes b = head;
	uint32_t length, code;
	uint8_t first;

	for (unsigned i = 0; i < 2 && i < head.left; i++) {
		struct bytes peek = head;

		bytes_skip(&peek, i);
		if (bytes_u8(&peek, &first) && first != 0)
			return RECOGNISE_NOT; /* no first message is longer than 64 kB */
	}
	if (head.left < 8)
		return RECOGNISE_MORE;
	bytes_be32(&b, &length);
	bytes_be32(&b, &code);
	if (code == PG_SSL || code == PG_GSS)
		return length == 8 ? RECOGNISED : RECOGNISE_NOT;
	if (code == PG_CANCEL)
		return length == 16 || (length > 16 && length <= 268) ? RECOGNISED : RECOGNISE_NOT;
	if (code < PG_VERSION_3 || code > PG_VERSION_3 + 9 || length < 9 || length > 10000)
		return RECOGNISE_NOT;
	if (!bytes_u8(&b, &first))
		return RECOGNISE_MORE;
	return first == 0 || (first >= 'A' && first <= 'z') ? RECOGNISED : RECOGNISE_NOT;
}

/* A server's answer to a request for SSL or GSS (one byte, and nothing after it), or an
 * authentication request, a negotiation, or an error. */
static enum recognition postgresql_server(struct bytes head)
{
	struct bytes b = head;
	uint32_t length;
	uint8_t type;

	if (!bytes_u8(&b, &type))
		return RECOGNISE_MORE;
	if (type == 'S' || type == 'N' || type == 'G')
		return b.left == 0 ? RECOGNISED : RECOGNISE_NOT;
	if (type != 'R' && type != 'E' && type != 'v')
		return RECOGNISE_NOT;
	if (!bytes_be32(&b, &length))
		return RECOGNISE_MORE;
	return length >= 5 && length <= 30000 ? RECOGNISED : RECOGNISE_NOT;
}

enum recognition recognise_postgresql(enum direction dir, struct bytes head)
{
	return dir == DIR_C2S ? postgresql_client(head) : postgresql_server(head);
}

/* ---- MySQL (its manual of protocols, "Connection Phase"; MariaDB's, "Connecting") ---- */

/* Reads a packet's length, low byte first, and its number. */
static bool may_be_mysql_packet(struct prefix *p, uint32_t lo, uint32_t hi, uint32_t number)
{
	uint32_t length = next_byte(p) & 0xffu;

	length |= (next_byte(p) & 0xffu) << 8;
	length |= (next_byte(p) & 0xffu) << 16;
	if (!p->more && (length < lo || length > hi))
		return false;
	return may_be(p, number, number);
}

/* A server's greeting in protocol version 10, in which the version text begins with a number and a
 * dot; or an error with its code. */
static enum recognition mysql_server(struct bytes head)
{
	struct prefix p = { .b = head }, error;
	unsigned digits = 0;
	uint32_t c, code;

	if (!may_be_mysql_packet(&p, 4, 4096, 0))
		return RECOGNISE_NOT;
	error = p;
	if (may_be(&p, 10, 10)) {
		while ((c = next_byte(&p)) != '.' && !p.more)
			if (c < '0' || c > '9' || ++digits > 3)
				return RECOGNISE_NOT;
		if (p.more)
			return RECOGNISE_MORE;
		return digits > 0 && may_be(&p, '0', '9') ? so_far(&p) : RECOGNISE_NOT;
	}
	if (!may_be(&error, 0xff, 0xff))
		return RECOGNISE_NOT;
	code = next_byte(&error) & 0xffu;
	code |= (next_byte(&error) & 0xffu) << 8;
	if (!error.more && (code < 1000 || code > 4999))
		return RECOGNISE_NOT;
	return may_be(&error, 0x20, 0x7e) ? so_far(&error) : RECOGNISE_NOT;
}

/* The client's answer to the greeting, or its request for TLS, which begins in the same way: it has
 * the flag of version 4.1 and 19 reserved bytes of 0. */
static enum recognition mysql_client(struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t c;

	if (!may_be_mysql_packet(&p, 32, 65535, 1))
		return RECOGNISE_NOT;
	next_byte(&p);
	c = next_byte(&p);
	if (!p.more && (c & 0x02u) == 0) /* CLIENT_PROTOCOL_41 */
		return RECOGNISE_NOT;
	/* the other capability flags, the largest packet, the character set */
	pass_bytes(&p, 2 + 4 + 1);
	return may_be_zeros(&p, 19) ? so_far(&p) : RECOGNISE_NOT;
}

enum recognition recognise_mysql(enum direction dir, struct bytes head)
{
	return dir == DIR_C2S ? mysql_client(head) : mysql_server(head);
}

/* ---- SQL Server (MS-TDS, 2.2.3.1, 2.2.6.5, 2.2.6.4) ---- */

#define TDS_LOGIN 0x10u
#define TDS_PRELOGIN 0x12u
#define TDS_ANSWER 0x04u

/* A prelogin message, whose first option is the version; before version 7.2, the login itself. */
enum recognition recognise_mssql(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type = next_byte(&p), token;

	if (!p.more && (dir == DIR_S2C ? type != TDS_ANSWER : type != TDS_LOGIN && type != TDS_PRELOGIN))
		return RECOGNISE_NOT;
	if (!may_be(&p, 0, 1) || !may_be_be16(&p, 9, 32767))
		return RECOGNISE_NOT;
	pass_bytes(&p, 3); /* process id, packet number */
	if (!may_be(&p, 0, 0))
		return RECOGNISE_NOT;
	if (type == TDS_LOGIN) {
		pass_bytes(&p, 2);
		return may_be_zeros(&p, 2) && (pass_bytes(&p, 3), may_be(&p, 0x70, 0x74)) ? so_far(&p) : RECOGNISE_NOT;
	}
	token = next_byte(&p);
	if (p.more)
		return RECOGNISE_MORE;
	if (token == 0) /* VERSION: its offset, and six bytes of data */
		return may_be_be16(&p, 6, 4096) && may_be_be16(&p, 6, 6) ? so_far(&p) : RECOGNISE_NOT;
	/* an error, an information, an acknowledgement, a changed environment, or a security
	 * token */
	return dir == DIR_S2C && (token == 0xaa || token == 0xab || token == 0xad || token == 0xe3 || token == 0xed)
		       ? RECOGNISED
		       : RECOGNISE_NOT;
}

/* ---- Oracle (TNS has no public specification: as its clients of versions 9 to 21 send it) ---- */

#define TNS_CONNECT 1u

/* Reads a packet with its length and without checksums. A client's first packet asks for a
 * connection: versions, packet sizes, byte order. */
enum recognition recognise_oracle(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	uint32_t type, one;

	if (!may_be_be16(&p, dir == DIR_C2S ? 34 : 8, 32767) || !may_be_zeros(&p, 2))
		return RECOGNISE_NOT;
	type = next_byte(&p);
	if (p.more)
		return RECOGNISE_MORE;
	if (dir == DIR_S2C ? type != 2 && type != 4 && type != 5 && type != 11 : type != TNS_CONNECT)
		return RECOGNISE_NOT;
	next_byte(&p);
	if (!may_be_zeros(&p, 2) || dir == DIR_S2C)
		return dir == DIR_S2C ? so_far(&p) : RECOGNISE_NOT;
	/* its own version, and the oldest one that it accepts */
	for (unsigned version = 0; version < 2; version++)
		if (!may_be_be16(&p, 300, 400))
			return RECOGNISE_NOT;
	pass_bytes(&p, 2); /* options */
	if (!may_be_be16(&p, 512, 65535))
		return RECOGNISE_NOT;
	/* the largest transport unit, protocol characteristics, line turnaround */
	pass_bytes(&p, 6);
	one = next_number(&p, 2);
	return p.more || one == 0x0001 || one == 0x0100 ? so_far(&p) : RECOGNISE_NOT;
}
