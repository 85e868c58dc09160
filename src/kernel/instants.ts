/** The first instant that RFC 3339 can write. */
export const firstInstant = new Date('0000-01-01T00:00:00.000Z');

/** The last one; JavaScript and PostgreSQL write later years each in their own way. */
export const lastInstant = new Date('9999-12-31T23:59:59.999Z');
