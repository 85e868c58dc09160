/** To be imported first: what is loaded after it runs as it does in production. */
process.env.NODE_ENV = 'production';
