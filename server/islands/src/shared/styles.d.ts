/** Style sheets of libraries, which esbuild gathers beside the bundle. */
declare module "*.css";
