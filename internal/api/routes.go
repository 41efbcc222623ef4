package api

// routes is the whole list: a chapter per resource, each in its own file.
func (s *Server) routes() []route {
	var all []route
	for _, chapter := range []func() []route{
		// one line per file of routes, in the order of the documentation
		s.authRoutes,
		s.keyRoutes,
		s.accessRoutes,
		s.authzRoutes,
		s.registrationRoutes,
		s.partnerGroupRoutes,
		s.adminRoutes,
		s.organizationRoutes,
		s.usageRoutes,
		s.meteringRoutes,
		s.meterRoutes,
		s.memberRoutes,
		s.creditRoutes,
		s.spendingRoutes,
		s.ledgerRoutes,
		s.brandingRoutes,
		s.auditRoutes,
		s.notificationRoutes,
		s.settingsRoutes,
		s.statusRoutes,
		s.pluginRoutes,
	} {
		all = append(all, chapter()...)
	}
	return all
}
