import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server writes the page itself and finds the entry in the manifest.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../internal/console/dist",
    emptyOutDir: false, // the folder's .gitignore stays; make removes the rest
    manifest: true,
    modulePreload: { polyfill: false },
    rollupOptions: { input: "src/main.tsx" },
  },
});
