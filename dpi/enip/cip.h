/* SPDX-License-Identifier: Apache-2.0 */
/* CIP requests: service, path and data, parsed into operations, including those within a
 * Multiple Service Packet or an Unconnected Send. All lengths must agree exactly, or the
 * request is refused. */
#ifndef SEKISHO_DPI_ENIP_CIP_H
#define SEKISHO_DPI_ENIP_CIP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/tag.h"
#include "dpi/enip/words.h"
#include "dpi/protocol.h"

#define CIP_REPLY 0x80u /* set in the service code of a reply */

#define CLASS_MESSAGE_ROUTER 0x02u
#define CLASS_CONNECTION_MANAGER 0x06u
#define CLASS_PCCC 0x67u

#define SERVICE_MULTIPLE 0x0au
#define SERVICE_FORWARD_CLOSE 0x4eu
#define SERVICE_UNCONNECTED_SEND 0x52u
#define SERVICE_FORWARD_OPEN 0x54u
#define SERVICE_LARGE_FORWARD_OPEN 0x5bu

enum enip_transport {
	TRANSPORT_REQUESTS, /* carries CIP requests */
	TRANSPORT_IO,	    /* carries I/O data over UDP */
	TRANSPORT_OTHER,
};

/* The originator of a connection. A Forward Close must name the same originator as the
 * Forward Open. */
struct enip_opener {
	uint32_t serial; /* of the originating device */
	uint16_t connection, vendor;
};

/* What a Forward Open asks for, or a Forward Close ends. */
struct enip_opening {
	struct enip_opener opener;
	uint32_t id;	/* connection id from target to originator, which the originator chooses */
	uint32_t route; /* as in struct enip_path */
	uint8_t transport;
	/* TRANSPORT_IO: the connection times out after 4 << multiplier intervals without
	 * a message */
	uint8_t multiplier;
	bool far;
	/* by enum direction: whether the connection carries data in that direction */
	bool sends[2];
	/* by enum direction: the largest message in bytes, including its sequence number */
	uint16_t bytes[2];
};

/* in place of a part's number of elements: a successful reply has no data */
#define CIP_EMPTY UINT16_MAX

enum cip_kind { CIP_PLAIN, CIP_OPENS, CIP_CLOSES };

/* What the answer to a request must look like. */
struct cip_asked {
	uint8_t kind; /* enum cip_kind */
	/* service code of the answer; for an Unconnected Send, that of the embedded request */
	uint8_t service;
	/* the request is in an Unconnected Send: the router may answer instead of the target */
	bool sent_on;
	bool empty;    /* a successful answer has no data */
	uint8_t parts; /* number of parts of a Multiple Service Packet */
	/* elements of the tag that is read; 0: the length of the answer is not limited by this. For
	 * several parts, the largest of their numbers, not counting CIP_EMPTY */
	uint16_t elements;
	uint32_t digest; /* over the services of the parts */
	struct enip_opening opening;
};

/* The route of a request, as far as the message or connection around the request determines it. The
 * path of the request may add to the route. */
struct cip_way {
	uint32_t route;
	bool far;
};

/*
 * Adds the operations of one request to `p`. p->wrong says whether the request is well-formed; if
 * not, the first operation has all that is known of the request. For a Multiple Service Packet, the
 * numbers of elements of its parts, two bytes each, are left in p->joined.
 */
void cip_parse(struct bytes b, struct cip_way way, struct parsed *p, struct cip_asked *ret);
/* Digest of a part's service, for cip_asked.digest. */
uint32_t cip_digest(uint32_t digest, uint8_t service);
/* The length in bytes of a value of an elementary type; 0 for other types. *ret_number: whether the
 * value is an integer that can be compared with a policy. */
uint32_t cip_size_of_type(uint16_t type, bool *ret_number);
/* The code of a service of a class (see words.h). */
uint32_t cip_code(uint16_t class, uint8_t service);
/* Adds one operation that has no address. */
struct operation *cip_plain_operation(struct parsed *p, uint32_t code, struct cip_way way);

/* ---- paths ----------------------------------------------------------------------------------- */

/* Padded EPATHs: the object of a CIP request, and the route to it (The CIP Networks Library volume
 * 1, appendix C). A path is read whole or not at all: every segment has a meaning here, nothing is
 * left over, and pad bytes are 0. */

#define CLASS_SYMBOL 0x6bu /* the class whose instances are tags */

/* levels of nested objects: controllers have at most task, program, routine */
#define PATH_OBJECTS 3u
#define PATH_POINTS 3u /* connection points: consumed and produced ones; in a request only one */

struct enip_object {
	uint16_t class;
	uint32_t instance;
	uint16_t attribute;
	bool has_instance, has_attribute;
};

struct enip_path {
	struct enip_object objects[PATH_OBJECTS]; /* from the outermost in */
	uint8_t n_objects;
	uint32_t points[PATH_POINTS];
	uint8_t n_points;
	bool has_tag;
	uint64_t tag; /* digest of the tag's whole name */
	/* digests of the names that the tag is a part of, the outermost first */
	uint64_t within[WITHIN_MAX];
	uint8_t n_within;
	uint32_t route;	    /* the first hop: port * 256 + link; 0: the device itself */
	bool far;	    /* the route has more hops, or a hop that this number cannot express */
	bool config;	    /* the path contains configuration data */
	struct bytes whole; /* the whole path, borrowed */
};

/* Reads the path of a request: objects, or a tag with its elements, or a tag by its instance with
 * members by name. False: it is not such a path. */
bool enip_path_request(struct bytes b, struct enip_path *ret);
/* Reads the path of a connection: hops, an electronic key, objects with connection points, and the
 * other segments that a Forward Open may carry. */
bool enip_path_connection(struct bytes b, struct enip_path *ret);
/* Reads a path that has only hops. */
bool enip_path_route(struct bytes b, struct enip_path *ret);
/* Writes the name of the tag in a path that one of the above has read. False: the path names
 * no tag. */
bool enip_path_spell(struct bytes b, char out[TAG_MAX + 1u]);

/* ---- operations ------------------------------------------------------------------------------ */

/* Building the operations of one message, for cip.c, data.c and connect.c. Part of the EtherNet/IP
 * enforcer. */

struct build {
	struct parsed *p;
	struct cip_way way;
	uint8_t group;
	bool crowded; /* more operations than there is room for */
};

/* One request: its parsed path, and the data that follow the path. */
struct cip_request {
	uint8_t service;
	uint32_t code;
	struct enip_path path;
	struct bytes data;
};

/* One more operation of the group, NULL when there is no room. */
struct operation *build_add(struct build *b, uint32_t code);
/* Sets the operation's addresses: attributes `first` to `last` of an object. Where the path names
 * no instance or attribute, all of them are meant. */
void build_place(struct operation *o, const struct enip_object *object, uint32_t first, uint32_t last);
/* Sets the operation's addresses to those of a tag. */
void build_place_tag(struct operation *o, const struct enip_path *path);
/* Adds the operations of a request. False: its data do not have the form that its
 * service requires. */
bool build_request(struct build *b, const struct cip_request *r);
/* Adds the operations of a Forward Open or Forward Close. */
bool build_opening(struct build *b, const struct cip_request *r, struct cip_asked *ret);
bool build_closing(struct build *b, const struct cip_request *r, struct cip_asked *ret);
/* Adds the operations of Execute PCCC, which carries a command of controllers older than Logix. */
bool build_pccc(struct build *b, const struct cip_request *r);

#endif
