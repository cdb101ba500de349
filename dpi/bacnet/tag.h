/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of BACnet (ANSI/ASHRAE 135, clause 20.2.1), as its enforcer reads them: strictly, in the
 * shortest form that the clause has, since receivers read other forms differently. Part of the
 * enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_BACNET_TAG_H
#define SEKISHO_DPI_BACNET_TAG_H

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"

enum bacnet_tag_kind { BACNET_APPLICATION, BACNET_CONTEXT, BACNET_OPENING, BACNET_CLOSING };

struct bacnet_tag {
	uint8_t kind; /* enum bacnet_tag_kind */
	uint8_t number;
	bool truth;	    /* value of an application BOOLEAN, which has no contents */
	struct bytes holds; /* its contents */
};

/* Types of application tags (clause 20.2.1.4). */
enum bacnet_type {
	BACNET_NULL,
	BACNET_BOOLEAN,
	BACNET_UNSIGNED,
	BACNET_SIGNED,
	BACNET_REAL,
	BACNET_DOUBLE,
	BACNET_OCTETS,
	BACNET_STRING,
	BACNET_BITS,
	BACNET_ENUMERATED,
	BACNET_DATE,
	BACNET_TIME,
	BACNET_OBJECT_ID,
	BACNET_TYPES,
};

#define BACNET_DEPTH_MAX 12u /* levels of constructed data inside each other */

/* Takes a tag with its contents. */
bool bacnet_tag_take(struct bytes *b, struct bacnet_tag *ret);
/* Whether the contents may be of this type. */
bool bacnet_is_of(const struct bacnet_tag *t, enum bacnet_type type);
/* Reads an Unsigned or ENUMERATED. False: it has more bytes than necessary, or more than four. */
bool bacnet_number(struct bytes holds, uint32_t *ret);
struct bacnet_any {
	struct values written; /* the number of a single primitive value; otherwise unknown */
	bool null;	       /* it is a single NULL */
	bool again;	       /* data inside have the number of `holder` */
};

#define BACNET_NO_HOLDER 255u

/* Takes all data up to the first closing tag whose opening tag is not among them, or to the end.
 * `holder`: number of the constructed data around them, or BACNET_NO_HOLDER. */
bool bacnet_any(struct bytes *b, uint8_t holder, struct bacnet_any *ret);

#endif
